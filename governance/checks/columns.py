"""Features of decisions and of impressions as columns: what both windows of a drift audit are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from governance.checks.compared import Compared, of_levels, of_numbers
from governance.checks.shift import MISSING
from scoring_core.learning.outcomes import SHOWN
from storage import catalogue, distributions
from storage.database import Database
from storage.distributions import Distribution
from storage.lake import Lake

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


_KINDS = {
    "context.": "input",
    "user.": "input",
    "candidates": "input",
    "item": "exposure",
    "position": "exposure",
    "policy": "exposure",
    "campaign": "exposure",
    "confidence": "prediction",
    "score": "prediction",
    "served_by": "prediction",
    "slots": "prediction",
}


def kind_of(feature: str) -> str:
    """Return what a feature tells of.

    >>> kind_of("context.device"), kind_of("item.brand"), kind_of("click")
    ('input', 'exposure', 'outcome')
    """
    return next((kind for start, kind in _KINDS.items() if feature.startswith(start)), "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature of every row, in order of time: numbers (NaN where missing), or codes into ``levels``."""

    feature: str
    kind: str
    numbers: Floats | None
    codes: Whole
    levels: tuple[str | None, ...]

    def compared(self, cut: int) -> Compared:
        """Return both windows; the current one begins at row ``cut``."""
        if self.numbers is not None:
            return of_numbers(self.feature, self.numbers[:cut], self.numbers[cut:])
        return of_levels(self.feature, self.levels, self._counts(self.codes[:cut]), self._counts(self.codes[cut:]))

    def distribution(self, secret: bytes) -> Distribution:
        """Return what of it may be kept."""
        if self.numbers is not None:
            return distributions.of_numbers(self.numbers)
        return distributions.of_levels(self.levels, self._counts(self.codes), secret=secret)

    def _counts(self, codes: Whole) -> Whole:
        return np.bincount(codes, minlength=len(self.levels)).astype(np.int64)

    def plain(self) -> Any:
        """Return the values as Evidently reads them."""
        if self.numbers is not None:
            return self.numbers
        named = np.array([MISSING if level is None else level for level in self.levels], dtype=object)
        return named[self.codes]

    def cut(self, inside: slice) -> "Column":
        """Return the rows of a slice."""
        numbers = None if self.numbers is None else self.numbers[inside]
        return replace(self, numbers=numbers, codes=self.codes[inside])

    def told(self) -> bool:
        """Tell whether any row has a value."""
        if self.numbers is not None:
            return bool(np.isfinite(self.numbers).any())
        return any(self.levels[code] is not None for code in np.unique(self.codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows in order of time, by column."""

    at: Whole
    columns: tuple[Column, ...]

    def inside(self, start: int, end: int) -> "Rows":
        """Return the rows of a range."""
        chosen = slice(*np.searchsorted(self.at, [start, end]))
        return Rows(at=self.at[chosen], columns=tuple(column.cut(chosen) for column in self.columns))


_ROWS = """
SELECT "at", item, position, clicked, policy, campaign FROM shown
WHERE $surface IS NULL OR surface = $surface ORDER BY "at", decision_id, slot
"""


def load_shown(
    database: Database, lake: Lake, *, bound: Mapping[str, Any], surface: str | None = None, start: int | None = None
) -> Rows:
    """Read every feature of the impressions that ``bound`` (``outcomes.parameters``) names, and when each was decided:
    the item and its attributes, the position, the policy, the campaign, the outcome. Rows before ``start`` are not
    looked for."""
    with database.read() as read, lake.connect(read, start=start) as duck:
        table: Any = duck.sql(SHOWN + _ROWS, params={**bound, "surface": surface}).to_arrow_table()
        items = {item.item_id: item.attributes for item in catalogue.load(read).items}
    shown, item = np.unique(np.array(table.column("item").to_pylist(), dtype=str), return_inverse=True)
    attributes = [items.get(str(name), {}) for name in shown]
    columns = [
        *spread("item", "exposure", attributes, item),
        coded("item", "exposure", [str(name) for name in shown], item),
        *(coded(name, "exposure", *distinct(table.column(name))) for name in ("position", "policy", "campaign")),
        numbered(str(bound["outcome"]), "outcome", table.column("clicked").to_numpy(zero_copy_only=False)),
    ]
    return Rows(at=table.column("at").to_numpy().astype(np.int64), columns=tuple(columns))


def distinct(column: Any) -> tuple[list[str | None], Whole]:
    """Return the distinct values of an Arrow column as texts, and which of them each row has."""
    encoded = column.combine_chunks().dictionary_encode()
    levels = [str(level) for level in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False).astype(np.int64)
    return [*levels, None], codes


def documents(column: Any) -> tuple[list[Mapping[str, Any]], Whole]:
    """Return the distinct JSON objects of an Arrow column, and which of them each row has."""
    texts, codes = distinct(column)
    return [orjson.loads(text) if text else {} for text in texts], codes


def spread(prefix: str, kind: str, documents: Sequence[Mapping[str, Any]], codes: Whole) -> list[Column]:
    """Turn one document per code into a column per name."""
    found = []
    for name in sorted({name for known in documents for name in known}):
        values = [known.get(name) for known in documents]
        if any(isinstance(value, str | bool) for value in values):
            levels, place = _levels(values)
            found.append(Column(feature=f"{prefix}.{name}", kind=kind, numbers=None, codes=place[codes], levels=levels))
        else:
            numbers = np.array([np.nan if value is None else float(value) for value in values])
            found.append(Column(feature=f"{prefix}.{name}", kind=kind, numbers=numbers[codes], codes=codes, levels=()))
    return found


def _levels(values: Sequence[Any]) -> tuple[tuple[str | None, ...], Whole]:
    named = [None if value is None else str(value) for value in values]
    levels = tuple(sorted(set(named), key=lambda level: (level is None, level or "")))
    places = {level: place for place, level in enumerate(levels)}
    return levels, np.array([places[level] for level in named], dtype=np.int64)


def coded(feature: str, kind: str, levels: Sequence[str | None], codes: Whole) -> Column:
    """Return a column of texts."""
    return Column(feature=feature, kind=kind, numbers=None, codes=codes.astype(np.int64), levels=tuple(levels))


def numbered(feature: str, kind: str, values: NDArray[Any]) -> Column:
    """Return a column of numbers."""
    numbers = np.asarray(values, dtype=np.float64)
    return Column(feature=feature, kind=kind, numbers=numbers, codes=np.zeros(len(numbers), dtype=np.int64), levels=())
