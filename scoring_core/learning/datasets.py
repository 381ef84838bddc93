"""Examples to learn from: every impression of the lake with its outcome, weight, and the inputs of its decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from scoring_core.features.table import FeatureTable
from scoring_core.learning.outcomes import SHOWN, parameters
from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import no_statistics
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.events import Scalar
from storage.records.subjects import USER_DIMENSIONS, UserState

MAX_WEIGHT = 100.0
"""Where inverse propensities are clipped."""

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """One row per impression, in order of time.

    ``weight`` is the inverse propensity, clipped at 100. Rows of one ``stratum`` share surface, campaign, position and
    UTC day. ``inputs`` points into ``contexts`` and ``users`` (None where no person was known).
    """

    at: Whole
    ordinal: Whole
    clicked: Flags
    weight: Floats
    stratum: Whole
    campaign: NDArray[np.object_]
    inputs: Whole
    contexts: tuple[Mapping[str, Scalar], ...]
    users: tuple[UserState | None, ...]
    dropped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def clicks(self) -> int:
        """How many impressions were clicked."""
        return int(self.clicked.sum())

    def where(self, chosen: Flags | Whole) -> "Examples":
        """Return the chosen rows."""
        columns = ("at", "ordinal", "clicked", "weight", "stratum", "campaign", "inputs")
        return Examples(
            **{name: getattr(self, name)[chosen] for name in columns},
            contexts=self.contexts,
            users=self.users,
            dropped=self.dropped,
        )

    def split(self, share: float) -> tuple["Examples", "Examples"]:
        """Return what came first and the last ``share`` of the rows; rows of one instant stay together."""
        if not len(self):
            return self, self
        cut = self.at[min(len(self) - 1, int(len(self) * (1.0 - share)))]
        return self.where(self.at < cut), self.where(self.at >= cut)


_COLUMNS = """
SELECT "at", item, clicked, propensity, campaign,
    dense_rank() OVER (ORDER BY surface, campaign, position, "at" // $day) - 1 AS stratum,
    dense_rank() OVER (ORDER BY context, user_vector, user_events) - 1 AS inputs, context, user_vector, user_events
FROM shown WHERE propensity_kind != 'none' ORDER BY "at", decision_id, slot
"""


def load_examples(
    database: Database, lake: Lake, *, shelf: Shelf, now: int, origins: Sequence[str], end: int = 2**62
) -> Examples:
    """Read every impression that was decided before ``end``; rows without a usable propensity, or whose item left the
    catalogue, are dropped and counted."""
    with database.read() as read, lake.connect(read) as duck:
        rows: Any = duck.sql(
            SHOWN + _COLUMNS, params={**parameters(now=now, origins=origins, end=end), "day": DAY}
        ).to_arrow_table()
    columns: dict[str, Any] = {
        name: rows.column(name).to_numpy() for name in ("at", "clicked", "propensity", "stratum", "inputs")
    }
    items, campaigns = rows.column("item").to_pylist(), rows.column("campaign").to_pylist()
    inputs = columns["inputs"].astype(np.int64)
    _, first = np.unique(inputs, return_index=True)
    contexts, vectors, events = (rows.column(name) for name in ("context", "user_vector", "user_events"))
    propensity = columns["propensity"].astype(np.float64)
    ordinal = np.array([shelf.ordinals.get(item, -1) for item in items], dtype=np.int64)
    unknown, unusable = ordinal < 0, ~(propensity > 0.0)
    examples = Examples(
        at=columns["at"].astype(np.int64),
        ordinal=ordinal,
        clicked=columns["clicked"].astype(np.bool_),
        weight=np.minimum(1.0 / np.where(unusable, 1.0, propensity), MAX_WEIGHT),
        stratum=columns["stratum"].astype(np.int64),
        campaign=np.array(campaigns, dtype=np.object_),
        inputs=inputs,
        contexts=tuple(orjson.loads(contexts[int(row)].as_py() or "{}") for row in first),
        users=tuple(_user(vectors[int(row)].as_py(), events[int(row)].as_py()) for row in first),
        dropped={"item not in the catalogue": int(unknown.sum()), "no propensity": int((unusable & ~unknown).sum())},
    )
    return examples.where(~unknown & ~unusable)


def _user(vector: bytes | None, events: int | None) -> UserState | None:
    """Return the person as the record holds them: faded to the moment of the decision already."""
    return None if vector is None or events is None else UserState(vector=vector, updated_at=0, events=events)


def feature_table(
    examples: Examples, features: tuple[str, ...], *, categories: Mapping[str, tuple[str, ...]], shelf: Shelf
) -> Floats:
    """Return the very rows that the engine would build for these impressions: the same class builds them."""
    builder = FeatureTable(features, shelf, categories=categories)
    statistics = no_statistics(shelf)
    table = np.empty((len(examples), len(features)))
    order = np.argsort(examples.inputs, kind="stable")
    starts = np.flatnonzero(np.diff(examples.inputs[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else []:
        known = int(examples.inputs[rows[0]])
        table[rows] = builder.rows(examples.ordinal[rows], examples.contexts[known], examples.users[known], statistics)
    return table


def describe_features(
    examples: Examples, shelf: Shelf, *, context: Sequence[str] | None = None
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the features that these examples can speak of, and the categories of those that are strings.

    Context names (all seen, or those of ``context`` that were seen), item attributes, and the person's interests where
    any row knows a person. Item statistics are left out: the log does not hold them as of each decision.
    """
    seen: dict[str, set[Scalar]] = {}
    for known in np.unique(examples.inputs):
        for name, value in examples.contexts[int(known)].items():
            if context is None or name in context:
                seen.setdefault(f"context.{name}", set()).add(value)
    for ordinal in np.unique(examples.ordinal):
        for name, value in shelf.catalogue.items[int(ordinal)].attributes.items():
            seen.setdefault(f"item.{name}", set()).add(value)
    categories = {
        name: tuple(sorted({str(value) for value in values}))
        for name, values in sorted(seen.items())
        if any(isinstance(value, str) for value in values)
    }
    features = sorted(seen)
    if any(examples.users[int(known)] for known in np.unique(examples.inputs)):
        features += [
            "user.affinity",
            "user.norm",
            "user.events",
            *(f"user.{place}" for place in range(USER_DIMENSIONS)),
        ]
    return tuple(features), categories
