"""The feature table: named columns, one row per candidate, missing is NaN."""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring_core.fatigue import Tired
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.scorers.protocol import Floats
from storage.errors import Invalid, Problem
from storage.records.clock import DAY, moment
from storage.records.decisions import VECTOR_DTYPE
from storage.records.events import ITEM_STATS, Scalar
from storage.records.items import Item
from storage.records.subjects import USER_DIMENSIONS, UserState

Ordinals = NDArray[np.int64]
Codes = Mapping[str, float] | None

MISSING = float("nan")
USER_SUMS = ("affinity", "norm", "events")
ITEM_FIELDS = ("item_id", "stock")
"""What ``item.NAME`` may name beside the attributes."""
AGE = "age_days"


FATIGUES = {"item": "items", "campaign": "campaign", "user": "person"}
"""Where each fatigue feature stands in ``Tired``."""


class Column(NamedTuple):
    """A feature's place in the table and its name's two parts."""

    at: int
    source: str
    name: str


class FeatureTable:
    """Builds the table for one list of features against one shelf.

    Names are ``context.NAME``, ``item.NAME`` (an attribute, ``item_id`` or ``stock``), ``item.age_days`` (since it was
    made, at the decision), ``time.month`` (1–12, UTC), ``stat.NAME`` (of ``ITEM_STATS``), ``user.N`` (a dimension of
    the interests), ``user.affinity`` (cosine of the person's and the item's vector), ``user.norm`` and
    ``user.events``, ``model.NAME`` (a retriever's affinity), ``plugin.NAME.KEY`` (an enricher's output),
    ``fatigue.item``, ``fatigue.campaign`` and ``user.fatigue`` (``scoring_core.fatigue``; missing where none is kept).
    A string is coded by its place in ``categories[feature]``; one that is not listed is missing.

    Every cell depends on its own row alone: a table of one row equals that row of a longer table, bit for bit.
    """

    def __init__(
        self, features: tuple[str, ...], shelf: Shelf, *, categories: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        columns = _columns(features)
        codes = {
            name: {value: float(code) for code, value in enumerate(values)}
            for name, values in (categories or {}).items()
        }
        self.features = features
        self._static = np.full((len(shelf.catalogue.items), len(features)), MISSING)
        for column in columns:
            if column.source == "item":
                said, known = shelf.columns.column(column.name), codes.get(f"item.{column.name}")
                self._static[:, column.at] = said.spread(
                    (_number(None if isinstance(value, tuple) else value, known) for value in said.values), np.float64
                )
        context = [column for column in columns if column.source == "context"]
        self._context = [(column.name, codes.get(f"context.{column.name}")) for column in context]
        self._context_at = _side_by_side([column.at for column in context])
        stats = [column for column in columns if column.source == "stat"]
        self._stats = _side_by_side([ITEM_STATS.index(column.name) for column in stats])
        self._stats_at = _side_by_side([column.at for column in stats])
        user = [column for column in columns if column.source == "user"]
        dimensions = [column for column in user if column.name not in USER_SUMS]
        self._dimensions = np.array([int(column.name) for column in dimensions], dtype=np.int64)
        self._dimensions_at = _side_by_side([column.at for column in dimensions])
        self._sums_at = {column.name: column.at for column in user if column.name in USER_SUMS}
        self._fatigue_at = [(column.at, column.name) for column in columns if column.source == "fatigue"]
        self.asks_fatigue = bool(self._fatigue_at)
        self._models_at = {column.name: column.at for column in columns if column.source == "model"}
        self._plugins_at = {column.name: column.at for column in columns if column.source == "plugin"}
        self._plugin_codes = {name: codes.get(f"plugin.{name}") for name in self._plugins_at}
        self._age_at = next((c.at for c in columns if c.source == "item" and c.name == AGE), None)
        self._made_at = _made_at(shelf) if self._age_at is not None else None
        self._month_at = next((c.at for c in columns if c.source == "time"), None)
        self.retrievers = tuple(self._models_at)
        """The retrievers whose affinity is a column."""
        self._unit = _unit_rows(shelf.vectors) if "affinity" in self._sums_at else None

    def rows(
        self,
        ordinals: Ordinals,
        context: Mapping[str, Scalar],
        user: UserState | None,
        items: ItemFeatures,
        *,
        near: Mapping[str, Floats] | None = None,
        plugins: Mapping[str, Scalar] | None = None,
        now: int | None = None,
        fatigue: Tired | None = None,
    ) -> Floats:
        """Return the table, float64 in C order, one row per catalogue ordinal.

        ``user`` is settled to the moment of the decision (``features.profile.settled``); None leaves its columns
        missing. An item that ``items`` does not know yet has no statistics. ``near`` holds each retriever's affinity
        per ordinal, ``plugins`` the enrichers' outputs; without ``now`` nothing is known of age and month.
        """
        table: Floats = self._static.take(ordinals, axis=0)
        if self._context:
            table[:, self._context_at] = [_number(context.get(name), codes) for name, codes in self._context]
        if self._stats is not None:
            table[:, self._stats_at] = statistics(items, ordinals)[:, self._stats]
        if user is not None:
            self._fill_user(table, ordinals, user)
        if near:
            for name, at in self._models_at.items():
                if name in near:
                    table[:, at] = near[name]
        if plugins:
            for name, at in self._plugins_at.items():
                table[:, at] = _number(plugins.get(name), self._plugin_codes.get(name))
        if fatigue is not None:
            for at, name in self._fatigue_at:
                table[:, at] = getattr(fatigue, FATIGUES[name])
        if now is not None:
            self._fill_time(table, ordinals, now)
        return table

    def _fill_time(self, table: Floats, ordinals: Ordinals, now: int) -> None:
        if self._made_at is not None:
            table[:, self._age_at] = np.maximum(now - self._made_at.take(ordinals), 0.0) / DAY
        if self._month_at is not None:
            table[:, self._month_at] = moment(now).month

    def _fill_user(self, table: Floats, ordinals: Ordinals, user: UserState) -> None:
        vector = np.frombuffer(user.vector, dtype=VECTOR_DTYPE).astype(np.float64)
        if self._dimensions.size:
            table[:, self._dimensions_at] = vector[self._dimensions]
        if "events" in self._sums_at:
            table[:, self._sums_at["events"]] = user.events
        length = sqrt(vector.dot(vector))
        if "norm" in self._sums_at:
            table[:, self._sums_at["norm"]] = length
        if self._unit is not None and 0.0 < length < np.inf:
            units = self._unit.take(ordinals, axis=0)
            table[:, self._sums_at["affinity"]] = np.einsum("ij,j->i", units, vector / length)


def statistics(items: ItemFeatures, ordinals: Ordinals) -> Floats:
    """Return the moving item features of ``ordinals``, NaN for items younger than the epoch."""
    try:
        return items.values.take(ordinals, axis=0)  # checks its bounds by itself
    except IndexError:
        pass
    known = ordinals < len(items.values)
    rows = np.full((len(ordinals), len(ITEM_STATS)), MISSING)
    rows[known] = items.values[ordinals[known]]
    return rows


def _columns(features: tuple[str, ...]) -> list[Column]:
    columns = [
        Column(at, "fatigue", "user") if feature == "user.fatigue" else Column(at, *feature.partition(".")[::2])
        for at, feature in enumerate(features)
    ]
    problems = tuple(
        Problem(field=f"features.{column.at}", message="no such feature; see the names in FeatureTable")
        for column in columns
        if not _exists(column)
    )
    if problems:
        raise Invalid("the list of features names one that does not exist", problems=problems)
    return columns


def _exists(column: Column) -> bool:
    match column.source:
        case "context" | "item" | "model" | "plugin":
            return bool(column.name)
        case "stat":
            return column.name in ITEM_STATS
        case "fatigue":
            return column.name in FATIGUES
        case "time":
            return column.name == "month"
        case "user":
            return column.name in USER_SUMS or (column.name.isdecimal() and int(column.name) < USER_DIMENSIONS)
        case _:
            return False


def _told(item: Item, name: str) -> Scalar | None:
    found = item.attributes.get(name)
    return getattr(item, name) if found is None and name in ITEM_FIELDS else found


def _made_at(shelf: Shelf) -> Floats:
    made = [MISSING if item.created_at is None else float(item.created_at) for item in shelf.catalogue.items]
    return np.array(made, dtype=np.float64)


def _number(value: Scalar | None, codes: Codes) -> float:
    if value is None:
        return MISSING
    if codes is not None:
        return codes.get(value, MISSING) if isinstance(value, str) else codes.get(str(value), MISSING)
    return MISSING if isinstance(value, str) else float(value)


def _side_by_side(at: list[int]) -> NDArray[np.int64] | slice | None:
    """Return the places as an index, None for none; a slice where they lie side by side, which is twice as fast."""
    if not at:
        return None
    if at == list(range(at[0], at[0] + len(at))):
        return slice(at[0], at[0] + len(at))
    return np.array(at, dtype=np.int64)


def _unit_rows(vectors: NDArray[np.float32]) -> Floats:
    exact = vectors.astype(np.float64)
    lengths = np.sqrt(np.sum(exact * exact, axis=1, keepdims=True))
    unit: Floats = np.divide(exact, lengths, out=np.full_like(exact, MISSING), where=lengths > 0)
    return unit
