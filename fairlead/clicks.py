"""The click model of simulated visitors: fitted to the log, and never the model under test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import orjson
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from scoring_core.learning.outcomes import SHOWN, parameters
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.events import Scalar
from storage.records.items import Item

LOGGED = ("imported", "simulated")
_ROWS = "SELECT item, position, campaign, context, clicked FROM shown WHERE origin = $origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One item in one place before one visitor."""

    campaign: str
    position: int
    context: Mapping[str, Scalar]
    item: Item | None


def _features(shown: Shown) -> dict[str, float | str]:
    features: dict[str, float | str] = {"campaign": shown.campaign, "position": str(shown.position)}
    attributes = shown.item.attributes if shown.item is not None else {}
    for prefix, values in (("context", shown.context), ("item", attributes)):
        for name, value in values.items():
            features[f"{prefix}.{name}"] = value if isinstance(value, str) else float(value)
    return features


class ClickModel:
    """P(click | campaign, position, context, item) by logistic regression with one column per category.

    It is linear in the logged attributes: what a tree ensemble finds beyond that is not in it, so simulated clicks
    cannot flatter the ranker, and nothing measured on them says anything of lift.
    """

    def __init__(self, columns: DictVectorizer, regression: LogisticRegression | float) -> None:
        self._columns = columns
        self._regression = regression

    @classmethod
    def fit(cls, rows: Sequence[Shown], clicked: Sequence[bool]) -> "ClickModel":
        """Fit to impressions; with clicks of one kind only, every probability is their share."""
        columns = DictVectorizer(sparse=True)
        table = columns.fit_transform([_features(row) for row in rows])
        outcome = np.asarray(clicked, dtype=np.int8)
        if len(set(outcome.tolist())) < 2:
            return cls(columns, float(outcome.mean()) if len(outcome) else 0.0)
        return cls(columns, LogisticRegression(C=0.1, max_iter=300).fit(table, outcome))

    def probabilities(self, rows: Sequence[Shown]) -> list[float]:
        """Return the probability of a click for each row."""
        if isinstance(self._regression, float) or not rows:
            return [self._regression if isinstance(self._regression, float) else 0.0] * len(rows)
        table = self._columns.transform([_features(row) for row in rows])
        return [float(value) for value in self._regression.predict_proba(table)[:, 1]]


class Liking(Protocol):
    """What decides whether visitors click."""

    def probabilities(self, rows: Sequence[Shown]) -> list[float]:
        """Return the probability of a click for each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What the log knows of visits: contexts as often as they were logged, and the model of their clicks."""

    contexts: Sequence[tuple[str, Mapping[str, Scalar]]]
    model: Liking
    impressions: int
    clicks: int


def read_log(database: Database, lake: Lake, *, items: Mapping[str, Item], now: int) -> Logged:
    """Read the impressions of the imported log, or of the synthetic one where nothing was imported, and fit.

    Raises
    ------
    Unavailable
        When the lake holds neither.
    """
    for origin in LOGGED:
        wanted = {**parameters(now=now, origins=(origin,)), "origin": origin}
        with database.read() as read, lake.connect(read) as duck:
            found: list[tuple[Any, ...]] = duck.execute(SHOWN + _ROWS, wanted).fetchall()
        if found:
            break
    else:
        raise Unavailable("the lake holds no logged impressions to draw from; run `fairlead import open-bandit`")
    contexts: dict[str, Mapping[str, Scalar]] = {}
    rows = [
        Shown(
            campaign=campaign,
            position=position,
            context=contexts.setdefault(context, orjson.loads(context or "{}")),
            item=items.get(item),
        )
        for item, position, campaign, context, _ in found
    ]
    clicked = [bool(row[4]) for row in found]
    return Logged(
        contexts=[(row.campaign, row.context) for row in rows],
        model=ClickModel.fit(rows, clicked),
        impressions=len(rows),
        clicks=sum(clicked),
    )
