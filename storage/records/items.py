"""What can be shown: items and the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.records.document import document
from storage.records.events import Scalar


@document
class Item:
    """One item. ``attributes`` are typed by use: numbers are numeric features, strings are categories."""

    item_id: str
    title: str = ""
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    hidden: bool = False
    stock: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All items at one version; an item's ordinal is its place in ``items`` and never changes."""

    version: int
    items: tuple[Item, ...]
