"""Items out of foreign rows, by a sync's mapping; a row that cannot be one says which field is wrong and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collectors import readings
from collectors.readings import NUMBER, READERS, Unreadable, empty
from storage.records.items import KNOWN, Item, item_problems
from storage.records.syncs import ItemMapping, Refusal
from storage.tabular import Row


@dataclass(slots=True)
class Drafted:
    """What a source holds: items by id, refused rows, and the ids of both. ``rows`` is how many it has."""

    items: dict[str, Item] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    rows: int = 0
    places: dict[str, int] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = name, reason


def draft(rows: Iterable[Row], mapping: ItemMapping) -> Drafted:
    """Read every row. Of rows with one id the last holds. A column of texts that all read as numbers is numeric, unless
    the mapping says otherwise."""
    found, known = Drafted(), frozenset(_columns(mapping))
    guessed: dict[str, bool] = {}
    for number, row in rows:
        found.rows += 1
        try:
            if isinstance(row, str):
                raise _Refused("", row)
            item_id = _said(row, mapping.item_id, "item_id", readings.text, default="")
            found.named.add(item_id)
            item = _item(row, mapping, item_id, known)
            problems = item_problems(item)
            if problems:
                raise _Refused(problems[0].field, problems[0].message)
        except _Refused as refused:
            found.refusals.append(Refusal(row=number, field=refused.field, reason=refused.reason))
            continue
        for name, value in item.attributes.items():
            if isinstance(value, str) and name not in mapping.texts and KNOWN.get(name) != "text":
                guessed[name] = guessed.get(name, True) and NUMBER.fullmatch(value) is not None
        if item_id in found.items:
            reason = f"row {number} has the same id and holds; leave one of them out"
            found.refusals.append(Refusal(row=found.places[item_id], field="item_id", reason=reason))
        found.items[item_id], found.places[item_id] = item, number
    numeric = {name for name, every in guessed.items() if every}
    if numeric:
        found.items = {key: _numbered(item, numeric) for key, item in found.items.items()}
    found.refusals.sort(key=lambda refusal: refusal.row)
    return found


def _item(row: Mapping[str, Any], mapping: ItemMapping, item_id: str, known: frozenset[str]) -> Item:
    plain = {
        name: _said(row, getattr(mapping, name), name, READERS[name], default=default)
        for name, default in (("hidden", False), ("stock", None), ("created_at", None), ("expires_at", None))
    }
    tags: dict[str, None] = {}
    for column in mapping.tags:
        tags |= dict.fromkeys(_said(row, column, "tags", lambda each: readings.listed(each, mapping.separator), ()))
    return Item(
        item_id=item_id,
        title=_said(row, mapping.title, "title", readings.text, default=""),
        text=_said(row, mapping.text, "text", readings.text, default=""),
        kind=_said(row, mapping.kind, "kind", readings.text, default=mapping.kind_value),
        tags=tuple(tags),
        attributes=dict(_attributes(row, mapping, known)),
        vectors={
            name: vector
            for name, column in mapping.vectors.items()
            if (vector := _said(row, column, f"vectors.{name}", readings.vector, default=None)) is not None
        },
        **plain,
    )


def _attributes(row: Mapping[str, Any], mapping: ItemMapping, known: frozenset[str]) -> Iterator[tuple[str, Any]]:
    named = mapping.attributes or {column: column for column in row if column not in known}
    for name, column in named.items():
        wanted = KNOWN.get(name)
        if name in mapping.texts or wanted == "text":
            read: Callable[[Any], Any] = readings.text
        elif name in mapping.numbers or wanted == "a number":
            read = readings.number
        else:
            read = readings.scalar
        value = _said(row, column, f"attributes.{name}", read, default=None)
        if value is not None:
            yield name, value


def _said(row: Mapping[str, Any], column: str, name: str, read: Callable[[Any], Any], default: Any) -> Any:
    """Return what a column says, ``default`` where it says nothing or the mapping names none."""
    value = _cell(row, column) if column else None
    if empty(value):
        return default
    try:
        return read(value)
    except Unreadable as reason:
        raise _Refused(name, str(reason)) from None


def _cell(row: Mapping[str, Any], column: str) -> Any:
    if column in row:
        return row[column]
    found: Any = row
    for part in column.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _columns(mapping: ItemMapping) -> Iterator[str]:
    fields = ("item_id", "title", "text", "kind", "hidden", "stock", "created_at", "expires_at")
    yield from (column for name in fields if (column := getattr(mapping, name)))
    yield from mapping.tags
    yield from mapping.vectors.values()


def _numbered(item: Item, numeric: set[str]) -> Item:
    if not numeric & item.attributes.keys():
        return item
    told = {
        name: float(value) if name in numeric and isinstance(value, str) else value
        for name, value in item.attributes.items()
    }
    return replace(item, attributes=told)
