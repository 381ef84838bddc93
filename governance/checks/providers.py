"""Whose an item is: its provider, or another attribute of it."""

from collections.abc import Mapping

from scoring_core.learning.acts import MAKERS
from storage import catalogue
from storage.database import Read

PROVIDER = "provider"
"""Names the item's maker: the first attribute of ``MAKERS`` that any item has."""


def providers(read: Read, attribute: str) -> Mapping[str, str]:
    """Return the value of an attribute of each item that has one; ``provider`` is whoever made it."""
    items = catalogue.load(read).items
    name = attribute
    if attribute == PROVIDER:
        name = next((each for each in MAKERS if any(each in item.attributes for item in items)), attribute)
    return {item.item_id: str(item.attributes[name]) for item in items if name in item.attributes}
