"""What can be shown: items and the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.records.document import document
from storage.records.events import Scalar


@document
class Item:
    """One item. ``attributes`` are typed by use: numbers are numeric features, strings are categories; the names
    ``category``, ``brand``, ``price``, ``margin``, ``sustainability``, ``season`` and ``provider`` are known to the
    house. ``kind`` is the type of item that surfaces name, ``text`` what full-text search and content vectors read,
    ``created_at`` (microseconds UTC) its freshness, ``vectors`` what the caller computed (image, text), by name.
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
