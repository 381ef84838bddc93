"""What items say of themselves, as coded columns: a condition or a facet over a whole catalogue in one pass."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.conditions import compile_condition
from storage.records.document import canonical
from storage.records.items import Item

Flags = NDArray[np.bool_]
Facts = Mapping[str, Any]

MOST_MASKS = 256
MOST_FACETS = 50

KIND = "item kind"
"""The column of the kinds themselves, whatever attribute is called so; no condition can name it."""
_OF_RECORD = frozenset({"item_id", "title", "tags"})
"""What no attribute of the same name stands in for; ``kind`` and ``stock`` are told by the record only where no
attribute has the name."""


def item_facts(item: Item) -> Facts:
    """Return what a condition over items may ask: the attributes, and ``item_id``, ``title``, ``tags``, ``kind`` and
    ``stock``."""
    return {
        "kind": item.kind,
        "stock": item.stock,
        **item.attributes,
        "item_id": item.item_id,
        "title": item.title,
        "tags": list(item.tags),
    }


def fact(item: Item, name: str) -> Any:
    """Return one of an item's facts, None where it says nothing."""
    if name == KIND:
        return item.kind
    if name in _OF_RECORD or (name in ("kind", "stock") and name not in item.attributes):
        return getattr(item, name)
    return item.attributes.get(name)


@dataclass(frozen=True, slots=True)
class Column:
    """One fact of every item: ``codes`` per ordinal are places in ``values``, each value once; None is nothing said."""

    codes: NDArray[np.int32]
    values: Sequence[Any]
    places: Mapping[Any, int]

    def spread(self, of_values: Iterable[Any], dtype: Any) -> NDArray[Any]:
        """Return one entry per ordinal from one entry per value."""
        return np.fromiter(of_values, dtype=dtype, count=len(self.values))[self.codes]


class Columns:
    """The columns of one catalogue. Each is made when it is first asked for and kept, and so are the flags of the
    conditions asked last; nothing of it changes an answer, it only saves work."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self._items = items
        self._columns: dict[str, Column] = {}
        self._masks: dict[bytes, tuple[Facts, Flags]] = {}

    def column(self, name: str) -> Column:
        """Return a column by the name that conditions use."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = _coded([fact(item, name) for item in self._items])
        return found

    def mask(self, condition: Facts) -> Flags:
        """Return for each ordinal whether its item meets ``condition``, as ``compile_condition`` has it; read-only."""
        key = canonical(condition)
        found = self._masks.get(key)
        if found is not None:
            return found[1]
        flags = self._whole(condition)
        flags.flags.writeable = False
        self._keep(key, condition, flags)
        return flags

    def of_kinds(self, kinds: tuple[str, ...]) -> Flags:
        """Return which items are of one of the kinds."""
        column = self.column(KIND)
        return column.spread((value in kinds for value in column.values), np.bool_)

    def facets(self, name: str, among: Flags) -> tuple[tuple[Any, int], ...]:
        """Return how many of the items ``among`` have each value of a column, most first, at most ``MOST_FACETS``;
        each tag counts by itself."""
        column = self.column(name)
        counts = np.bincount(column.codes[among], minlength=len(column.values))
        summed: dict[Any, int] = {}
        for place in np.flatnonzero(counts).tolist():
            value = column.values[place]
            for each in value if isinstance(value, tuple) else (value,):
                if each is not None:
                    summed[each] = summed.get(each, 0) + int(counts[place])
        ranked = sorted(summed.items(), key=lambda pair: (-pair[1], str(pair[0])))
        return tuple(ranked[:MOST_FACETS])

    def advanced(self, items: tuple[Item, ...], changed: Sequence[int]) -> "Columns":
        """Return the columns of a later catalogue, of which only the items at ``changed`` differ or are new."""
        after = Columns(items)
        for name, column in tuple(self._columns.items()):
            after._columns[name] = _patched(
                column, [(place, fact(items[place], name)) for place in changed], len(items)
            )
        for key, (condition, flags) in tuple(self._masks.items()):
            holds = compile_condition(condition)
            mended = _longer(flags, len(items))
            for place in changed:
                mended[place] = holds(item_facts(items[place]))
            mended.flags.writeable = False
            after._masks[key] = (condition, mended)
        return after

    def _keep(self, key: bytes, condition: Facts, flags: Flags) -> None:
        while len(self._masks) >= MOST_MASKS:
            self._masks.pop(next(iter(self._masks), b""), None)
        self._masks[key] = (condition, flags)

    def _whole(self, condition: Any) -> Flags:
        if not isinstance(condition, Mapping):
            return np.zeros(len(self._items), dtype=np.bool_)
        flags = np.ones(len(self._items), dtype=np.bool_)
        for name, operand in condition.items():
            flags &= self._part(name, operand)
        return flags

    def _part(self, name: str, operand: Any) -> Flags:
        if name == "$not":
            return ~self._whole(operand)
        if name not in ("$and", "$or", "$nor"):
            return self._about(name, operand)
        if not isinstance(operand, list):
            return np.zeros(len(self._items), dtype=np.bool_)
        parts = [self._whole(each) for each in operand]
        if name == "$and" or (name == "$or" and not parts):
            return _joined(parts, np.logical_and, len(self._items), empty=True)
        either = _joined(parts, np.logical_or, len(self._items), empty=not parts)
        return either if name == "$or" else ~either

    def _about(self, path: str, operand: Any) -> Flags:
        """Ask each value once: what a condition says of one attribute depends on nothing else."""
        name = path.partition(".")[0]
        holds = compile_condition({path: operand})
        column = self.column(name)
        said = (holds({name: list(value) if isinstance(value, tuple) else value}) for value in column.values)
        return column.spread(said, np.bool_)


def _joined(parts: list[Flags], join: Callable[..., Any], count: int, *, empty: bool) -> Flags:
    flags = np.full(count, empty, dtype=np.bool_)
    for place, part in enumerate(parts):
        flags = part.copy() if place == 0 else join(flags, part)
    return flags


def _key(value: Any) -> tuple[type, Any]:
    """Tell values apart as JSON does: true is not 1."""
    return value.__class__, value


def _coded(values: list[Any]) -> Column:
    places: dict[Any, int] = {}
    distinct: list[Any] = []
    codes = np.empty(len(values), dtype=np.int32)
    for row, value in enumerate(values):
        key = _key(value)
        place = places.get(key)
        if place is None:
            place = places[key] = len(distinct)
            distinct.append(value)
        codes[row] = place
    return Column(codes, distinct, places)


def _patched(column: Column, changed: list[tuple[int, Any]], count: int) -> Column:
    codes, distinct, places = _longer(column.codes, count), list(column.values), dict(column.places)
    for row, value in changed:
        place = places.setdefault(_key(value), len(distinct))
        if place == len(distinct):
            distinct.append(value)
        codes[row] = place
    return Column(codes, distinct, places)


def _longer(array: NDArray[Any], count: int) -> NDArray[Any]:
    """Return a copy with room for ``count`` rows."""
    longer = np.zeros(count, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
