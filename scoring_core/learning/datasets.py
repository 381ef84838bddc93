"""Examples to learn from: every impression of the lake with its outcome, weight, and the inputs of its decision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Retriever
from scoring_core.features.past import completed
from scoring_core.features.person import person_features
from scoring_core.features.table import FeatureTable
from scoring_core.learning.rows import STATES, told_rows
from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import no_statistics
from storage.database import Database
from storage.lake import Lake
from storage.records.events import Scalar
from storage.records.subjects import UserState

MAX_WEIGHT = 100.0
"""Where inverse propensities are clipped."""

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Pasts = Mapping[str, UserState | None]
Kept = Callable[[str, str], Retriever | None]
"""Gives a retriever by name and version, None where it is no longer kept."""

TIMED = frozenset({"item.age_days", "time.month"})
"""The features that differ between moments where nothing else does."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """One row per impression, in order of time.

    ``weight`` is the inverse propensity, clipped at 100, times how far the subject's feedback is trusted. Rows of one
    ``stratum`` share surface, campaign, position and UTC day, those of one ``decision`` were shown together.
    ``inputs`` points into ``contexts``, ``users`` (None where no person was known), ``plugins`` and ``retrievers``
    (name to version): what the decision had.
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
    decision: Whole = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    subject: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=np.object_))
    plugins: tuple[Mapping[str, Scalar], ...] = ()
    retrievers: tuple[Mapping[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    @property
    def clicks(self) -> int:
        """How many impressions were clicked."""
        return int(self.clicked.sum())

    def where(self, chosen: Flags | Whole) -> "Examples":
        """Return the chosen rows."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        rows: dict[str, Any] = {
            name: column[chosen]
            for name, column in columns.items()
            if isinstance(column, np.ndarray) and len(column) == len(self)
        }
        return replace(self, **rows)

    def split(self, share: float) -> tuple["Examples", "Examples"]:
        """Return what came first and the last ``share`` of the rows; rows of one instant stay together."""
        if not len(self):
            return self, self
        cut = self.at[min(len(self) - 1, int(len(self) * (1.0 - share)))]
        return self.where(self.at < cut), self.where(self.at >= cut)

    def trusted(self, trust: Mapping[str, float]) -> "Examples":
        """Return the rows weighted by how far each subject's feedback is trusted (1 where nothing is said)."""
        if not trust:
            return self
        factor = np.array([trust.get(each, 1.0) if each else 1.0 for each in self.subject.tolist()], dtype=np.float64)
        return replace(self, weight=self.weight * factor)


def load_examples(
    database: Database,
    lake: Lake,
    *,
    shelf: Shelf,
    now: int,
    origins: Sequence[str],
    start: int = -(2**62),
    end: int = 2**62,
    pasts: Pasts = NOTHING,
) -> Examples:
    """Read every impression that was decided from ``start`` until before ``end``; rows without a usable propensity, or
    whose item left the catalogue, are dropped and counted. ``pasts`` (of ``past_states``) tells by decision what was
    known of people beyond what the decision read."""
    rows, made, campaigns = told_rows(database, lake, now=now, origins=origins, start=start, end=end)
    columns: dict[str, Any] = {
        name: rows.column(name).to_numpy() for name in ("clicked", "propensity", "stratum", "made")
    }
    decision, stratum = columns["made"].astype(np.int64), columns["stratum"].astype(np.int64)
    first, place = _alike(made)
    propensity = columns["propensity"].astype(np.float64)
    items, item = _numbered(rows.column("item"))
    ordinal = np.array([shelf.ordinals.get(each, -1) for each in items], dtype=np.int64)[item]
    unknown, unusable = ordinal < 0, ~(propensity > 0.0)
    inputs = made.take(first)
    examples = Examples(
        at=made.column("at").to_numpy().astype(np.int64)[decision],
        ordinal=ordinal,
        clicked=columns["clicked"].astype(np.bool_),
        weight=np.minimum(1.0 / np.where(unusable, 1.0, propensity), MAX_WEIGHT),
        stratum=stratum,
        campaign=campaigns[stratum],
        decision=decision,
        subject=made.column("subject").to_numpy()[decision],
        inputs=place[decision] if len(place) else decision,
        contexts=tuple(_maps(inputs.column("context"))),
        users=tuple(_users(inputs, pasts)),
        plugins=tuple(_maps(inputs.column("plugins"))),
        retrievers=tuple(_maps(inputs.column("retrievers"))),
        dropped={"item not in the catalogue": int(unknown.sum()), "no propensity": int((unusable & ~unknown).sum())},
    )
    return examples.where(~unknown & ~unusable)


def _alike(made: Any) -> tuple[Whole, Whole]:
    """Return a first decision of each set of equal inputs, and for every decision the place of its set. A decision that
    knew a person stands for itself."""
    place = np.zeros(made.num_rows, dtype=np.int64)
    for name in ("context", "plugins", "retrievers"):
        values, code = _numbered(made.column(name))
        place = place * max(1, len(values)) + code
    known = made.column("user_vector").is_valid().to_numpy()
    place[known] = -1 - np.flatnonzero(known)
    _, first, place = np.unique(place, return_index=True, return_inverse=True)
    return first.astype(np.int64), place.astype(np.int64)


def _numbered(column: Any) -> tuple[list[Any], Whole]:
    """Return the values of a column, and each row's place among them."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _maps(column: Any) -> list[Mapping[str, Any]]:
    values, place = _numbered(column)
    parsed: list[Mapping[str, Any]] = [orjson.loads(value) if value else NOTHING for value in values]
    return [parsed[each] for each in place.tolist()]


def _users(made: Any, pasts: Pasts) -> list[UserState | None]:
    """Return the people as the records hold them, faded to the moment of the decision already; completed from the
    past where it is told."""
    users = _recorded(made)
    if not pasts:
        return users
    names = made.column("decision_id").to_pylist()
    return [user and completed(user, pasts.get(name)) for user, name in zip(users, names, strict=True)]


def _recorded(made: Any) -> list[UserState | None]:
    attributes = _maps(made.column("user_attributes"))
    columns = [made.column(name).to_pylist() for name in ("at", *(f"user_{name}" for name in STATES[:-1]))]
    return [
        None
        if vector is None or events is None
        else UserState(
            vector=vector,
            updated_at=at,
            events=events,
            counts=counts or b"",
            recent=recent or b"",
            interests=interests or b"",
            first_at=first_at or 0,
            attributes=told,
        )
        for (at, vector, events, counts, recent, interests, first_at), told in zip(
            zip(*columns, strict=True), attributes, strict=True
        )
    ]


def feature_table(
    examples: Examples,
    features: tuple[str, ...],
    *,
    categories: Mapping[str, tuple[str, ...]],
    shelf: Shelf,
    kept: Kept | None = None,
) -> Floats:
    """Return the very rows that the engine built for these impressions: the same class builds them.

    ``model.NAME`` is asked of the retriever version that the decision recorded, where ``kept`` still has it; elsewhere
    it is missing, as it is where the decision did not ask that retriever.
    """
    builder = FeatureTable(features, shelf, categories=categories)
    statistics = no_statistics(shelf)
    table = np.empty((len(examples), len(features)))
    when = examples.at if TIMED & set(features) else np.zeros(len(examples), dtype=np.int64)
    order = np.lexsort((when, examples.inputs))
    changed = (np.diff(examples.inputs[order], prepend=-1) != 0) | (np.diff(when[order], prepend=-1) != 0)
    for rows in np.split(order, np.flatnonzero(changed)[1:]) if len(order) else []:
        known, ordinals = int(examples.inputs[rows[0]]), examples.ordinal[rows]
        user = examples.users[known]
        table[rows] = builder.rows(
            ordinals,
            examples.contexts[known],
            user,
            statistics,
            near=_near(builder.retrievers, examples, known, ordinals, kept) if builder.retrievers else None,
            plugins=examples.plugins[known] if examples.plugins else None,
            now=int(examples.at[rows[0]]),
        )
    return table


def _near(
    names: Sequence[str], examples: Examples, known: int, ordinals: Whole, kept: Kept | None
) -> Mapping[str, Floats]:
    user, recorded = examples.users[known], examples.retrievers[known] if examples.retrievers else NOTHING
    if user is None or kept is None:
        return {}
    found = {name: kept(name, recorded[name]) for name in names if name in recorded}
    return {name: retriever.affinity(user, ordinals) for name, retriever in found.items() if retriever is not None}


def describe_features(
    examples: Examples, shelf: Shelf, *, context: Sequence[str] | None = None
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the features that these examples can speak of, and the categories of those that are strings.

    Context names (all seen, or those of ``context`` that were seen), item attributes, enrichers' outputs, retrievers
    that were asked, and what people stated and what is known of them where any row knows a person. Item statistics and
    stock are left out: the log does not hold them as of each decision.
    """
    seen: dict[str, set[Scalar]] = {}
    asked: set[str] = set()
    counted = False
    used = [int(known) for known in np.unique(examples.inputs)]
    for known in used:
        told = [("context", examples.contexts[known], context)]
        told += [("plugin", examples.plugins[known], None)] if examples.plugins else []
        user = examples.users[known]
        told += [("profile", user.attributes, None)] if user is not None else []
        counted = counted or (user is not None and bool(user.counts))
        for source, values, wanted in told:
            for name, value in values.items():
                if wanted is None or name in wanted:
                    seen.setdefault(f"{source}.{name}", set()).add(value)
        asked |= set(examples.retrievers[known]) if examples.retrievers else set()
    for ordinal in np.unique(examples.ordinal):
        for name, value in shelf.catalogue.items[int(ordinal)].attributes.items():
            seen.setdefault(f"item.{name}", set()).add(value)
    categories = {
        name: tuple(sorted({str(value) for value in values}))
        for name, values in sorted(seen.items())
        if any(isinstance(value, str) for value in values)
    }
    features = [*sorted(seen), *(f"model.{name}" for name in sorted(asked))]
    features += person_features(known=any(examples.users[known] for known in used), counted=counted)
    return tuple(features), categories
