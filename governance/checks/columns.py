"""The features of impressions as columns: what both windows of a drift audit are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from governance.checks.shift import MISSING, Binned, bin_categories, bin_numbers
from scoring_core.learning.outcomes import SHOWN
from storage import catalogue
from storage.database import Database
from storage.lake import Lake

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature of every row, in order of time: numbers (NaN where missing), or codes into ``levels``."""

    feature: str
    kind: str
    numbers: Floats | None
    codes: NDArray[np.int64]
    levels: tuple[str | None, ...]

    def binned(self, cut: int) -> Binned:
        """Return both windows in common bins; the current one begins at row ``cut``."""
        if self.numbers is not None:
            return bin_numbers(self.numbers[:cut], self.numbers[cut:])
        reference, current = (
            np.bincount(part, minlength=len(self.levels)).astype(np.int64)
            for part in (self.codes[:cut], self.codes[cut:])
        )
        return bin_categories(self.levels, reference, current)

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


_ROWS = """
SELECT "at", item, position, clicked, policy, campaign,
    dense_rank() OVER (ORDER BY context) - 1 AS inputs, context
FROM shown ORDER BY "at", decision_id, slot
"""


def load_columns(database: Database, lake: Lake, *, bound: Mapping[str, Any]) -> tuple[NDArray[np.int64], list[Column]]:
    """Read every feature of the impressions that ``bound`` (``outcomes.parameters``) names, and when each was decided:
    the context, the item and its attributes, the position, the policy, the campaign, the outcome."""
    with database.read() as read, lake.connect(read) as duck:
        table: Any = duck.sql(SHOWN + _ROWS, params=bound).to_arrow_table()
        items = {item.item_id: item.attributes for item in catalogue.load(read).items}
    inputs = table.column("inputs").to_numpy().astype(np.int64)
    first = np.unique(inputs, return_index=True)[1]
    contexts = [orjson.loads(table.column("context")[int(row)].as_py() or "{}") for row in first]
    shown, item = np.unique(np.array(table.column("item").to_pylist(), dtype=str), return_inverse=True)
    attributes = [items.get(str(name), {}) for name in shown]
    columns = [
        *_spread("context", contexts, inputs),
        *_spread("item", attributes, item),
        _coded("item", "exposure", [str(name) for name in shown], item),
    ]
    for name, kind in (("position", "exposure"), ("policy", "exposure"), ("campaign", "exposure")):
        values, codes = np.unique(np.array(table.column(name).to_pylist(), dtype=str), return_inverse=True)
        columns.append(_coded(name, kind, [str(value) for value in values], codes))
    clicked = table.column("clicked").to_numpy(zero_copy_only=False).astype(np.int64)
    columns.append(_coded(str(bound["outcome"]), "outcome", ["no", "yes"], clicked))
    return table.column("at").to_numpy().astype(np.int64), columns


def _spread(prefix: str, documents: Sequence[Mapping[str, Any]], codes: NDArray[np.int64]) -> list[Column]:
    """Turn one document per code into a column per name."""
    found = []
    for name in sorted({name for known in documents for name in known}):
        values = [known.get(name) for known in documents]
        if any(isinstance(value, str | bool) for value in values):
            levels, place = _levels(values)
            found.append(
                Column(feature=f"{prefix}.{name}", kind="input", numbers=None, codes=place[codes], levels=levels)
            )
        else:
            numbers = np.array([np.nan if value is None else float(value) for value in values])
            found.append(
                Column(feature=f"{prefix}.{name}", kind="input", numbers=numbers[codes], codes=codes, levels=())
            )
    return found


def _levels(values: Sequence[Any]) -> tuple[tuple[str | None, ...], NDArray[np.int64]]:
    named = [None if value is None else str(value) for value in values]
    levels = tuple(sorted(set(named), key=lambda level: (level is None, level or "")))
    places = {level: place for place, level in enumerate(levels)}
    return levels, np.array([places[level] for level in named], dtype=np.int64)


def _coded(feature: str, kind: str, levels: Sequence[str], codes: NDArray[np.int64]) -> Column:
    return Column(feature=feature, kind=kind, numbers=None, codes=codes.astype(np.int64), levels=tuple(levels))
