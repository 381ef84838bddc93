"""The feature table: named columns, one row per candidate, missing is NaN."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring_core.fatigue import Tired
from scoring_core.features.cells import MISSING, number, side_by_side
from scoring_core.features.person import PersonColumns, exists
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.scorers.protocol import Floats
from storage.errors import Invalid, Problem
from storage.records.clock import DAY, moment
from storage.records.events import ITEM_STATS, Scalar
from storage.records.items import Item
from storage.records.subjects import UserState

Ordinals = NDArray[np.int64]
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
    the interests), ``user.affinity``, ``user.norm``, ``user.events``, ``user.COUNTER``, ``user.age_days``,
    ``user.recency_h``, ``user.preference`` and ``user.seen`` (``features.person``), ``profile.NAME`` (what the person
    stated), ``model.NAME`` (a retriever's affinity), ``plugin.NAME.KEY`` (an enricher's output), ``fatigue.item``,
    ``fatigue.campaign`` and ``user.fatigue`` (``scoring_core.fatigue``; missing where none is kept). A string is coded
    by its place in ``categories[feature]``; one that is not listed is missing.

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
                    (number(None if isinstance(value, tuple) else value, known) for value in said.values), np.float64
                )
        context = [column for column in columns if column.source == "context"]
        self._context = [(column.name, codes.get(f"context.{column.name}")) for column in context]
        self._context_at = side_by_side([column.at for column in context])
        stats = [column for column in columns if column.source == "stat"]
        self._stats = side_by_side([ITEM_STATS.index(column.name) for column in stats])
        self._stats_at = side_by_side([column.at for column in stats])
        self._person = PersonColumns(
            [(column.at, column.name) for column in columns if column.source == "user"],
            [(column.at, column.name) for column in columns if column.source == "profile"],
            shelf,
            codes=codes,
        )
        self.reads = self._person.reads
        """The parts of ``UserState`` beyond the vector that its columns take."""
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
            table[:, self._context_at] = [number(context.get(name), codes) for name, codes in self._context]
        if self._stats is not None:
            table[:, self._stats_at] = statistics(items, ordinals)[:, self._stats]
        if user is not None:
            self._person.fill(table, ordinals, user)
        if near:
            for name, at in self._models_at.items():
                if name in near:
                    table[:, at] = near[name]
        if plugins:
            for name, at in self._plugins_at.items():
                table[:, at] = number(plugins.get(name), self._plugin_codes.get(name))
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
        case "context" | "item" | "model" | "plugin" | "profile":
            return bool(column.name)
        case "stat":
            return column.name in ITEM_STATS
        case "fatigue":
            return column.name in FATIGUES
        case "time":
            return column.name == "month"
        case "user":
            return exists(column.name)
        case _:
            return False


def _told(item: Item, name: str) -> Scalar | None:
    found = item.attributes.get(name)
    return getattr(item, name) if found is None and name in ITEM_FIELDS else found


def _made_at(shelf: Shelf) -> Floats:
    made = [MISSING if item.created_at is None else float(item.created_at) for item in shelf.catalogue.items]
    return np.array(made, dtype=np.float64)
