"""What can be shown: items and the catalogue."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite

import orjson

from storage.errors import Problem
from storage.records.document import document
from storage.records.events import Scalar

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
"""Names of attributes, kinds and vector spaces; conditions use dots and ``$`` themselves."""

LONGEST_ID, LONGEST_TITLE, LONGEST_TEXT, LONGEST_VALUE = 128, 500, 20_000, 1_000
MOST_TAGS, MOST_ATTRIBUTES, MOST_SPACES, MOST_DIMENSIONS = 100, 100, 4, 2_048
LATEST = 253_402_300_799_000_000
"""The end of the year 9999 in microseconds."""

KNOWN: Mapping[str, str] = {
    "category": "text",
    "brand": "text",
    "provider": "text",
    "season": "text",
    "price": "a number",
    "margin": "a number",
    "sustainability": "a number",
}
"""The attributes that the house knows by name, and what each must be."""


@document
class Item:
    """One item. ``attributes`` are typed by use: numbers are numeric features, strings are categories; the names in
    ``KNOWN`` are known to the house. ``kind`` is the type of item that surfaces name, ``text`` what full-text search
    and content vectors read, ``created_at`` (microseconds UTC) its freshness, ``vectors`` what the caller computed
    (image, text), by name. ``stock`` None means that nobody counts it; none left is 0 or less.
    """

    item_id: str
    title: str = ""
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    kind: str = "item"
    text: str = ""
    created_at: int | None = None
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    hidden: bool = False
    stock: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All items at one version; an item's ordinal is its place in ``items`` and never changes."""

    version: int
    items: tuple[Item, ...]


_FIELDS = tuple(sorted(each.name for each in fields(Item)))


def item_document(item: Item) -> bytes:
    """Return the item's canonical document: the same bytes as ``storage.records.document.canonical``, without its
    deep copy.

    >>> item_document(Item(item_id="a"))[:17]
    b'{"attributes":{},'
    """
    return orjson.dumps({name: getattr(item, name) for name in _FIELDS}, option=orjson.OPT_SORT_KEYS)


def item_problems(item: Item) -> tuple[Problem, ...]:
    """Return what is wrong with an item, by field; the values themselves are never told.

    >>> [p.field for p in item_problems(Item(item_id="", attributes={"price": "dear", "a.b": 1}))]
    ['item_id', 'attributes.price', 'attributes']
    """
    return tuple(_problems(item))


def _problems(item: Item) -> Iterator[Problem]:
    if not 1 <= len(item.item_id) <= LONGEST_ID:
        yield Problem(field="item_id", message=f"must have 1 to {LONGEST_ID} characters")
    if not item.item_id.isprintable():
        yield Problem(field="item_id", message="must hold no control characters")
    for name, longest in (("title", LONGEST_TITLE), ("text", LONGEST_TEXT)):
        if len(getattr(item, name)) > longest:
            yield Problem(field=name, message=f"must have at most {longest} characters")
    if not NAME.fullmatch(item.kind):
        yield Problem(field="kind", message="use 1 to 64 letters, digits, dashes or underscores")
    for name in ("created_at", "expires_at"):
        at = getattr(item, name)
        if at is not None and not 0 <= at <= LATEST:
            yield Problem(field=name, message="must be a time between 1970 and 9999, in microseconds UTC")
    if item.stock is not None and not -(2**31) <= item.stock < 2**31:
        yield Problem(field="stock", message="must lie within 32 bits")
    if len(item.tags) > MOST_TAGS:
        yield Problem(field="tags", message=f"must be at most {MOST_TAGS}")
    if not all(1 <= len(tag) <= LONGEST_VALUE for tag in item.tags):
        yield Problem(field="tags", message=f"each must have 1 to {LONGEST_VALUE} characters")
    yield from _attribute_problems(item.attributes)
    yield from _vector_problems(item.vectors)


def _attribute_problems(attributes: Mapping[str, Scalar]) -> Iterator[Problem]:
    if len(attributes) > MOST_ATTRIBUTES:
        yield Problem(field="attributes", message=f"must be at most {MOST_ATTRIBUTES}")
    for name, value in attributes.items():
        if not NAME.fullmatch(name):
            yield Problem(field="attributes", message="a name must be 1 to 64 letters, digits, dashes or underscores")
            continue
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        wanted = KNOWN.get(name)
        if wanted == "text" and not isinstance(value, str):
            yield Problem(field=f"attributes.{name}", message="must be text")
        elif wanted == "a number" and number is None:
            yield Problem(field=f"attributes.{name}", message="must be a number")
        elif isinstance(value, str) and len(value) > LONGEST_VALUE:
            yield Problem(field=f"attributes.{name}", message=f"must have at most {LONGEST_VALUE} characters")
        elif number is not None and not (isfinite(number) and -(2**63) <= number < 2**63):
            yield Problem(field=f"attributes.{name}", message="must be a finite number within 64 bits")


def _vector_problems(vectors: Mapping[str, tuple[float, ...]]) -> Iterator[Problem]:
    if len(vectors) > MOST_SPACES:
        yield Problem(field="vectors", message=f"must be at most {MOST_SPACES}")
    for name, vector in vectors.items():
        if not NAME.fullmatch(name):
            yield Problem(field="vectors", message="a name must be 1 to 64 letters, digits, dashes or underscores")
        elif not 1 <= len(vector) <= MOST_DIMENSIONS or not all(map(isfinite, vector)):
            yield Problem(field=f"vectors.{name}", message=f"must be 1 to {MOST_DIMENSIONS} finite numbers")
