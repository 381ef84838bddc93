"""What simulated visitors do by themselves, apart from what they are recommended: look around, keep, buy."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from storage.records.items import Item

DEVICES = ("mobile", "desktop", "tablet")
DEVICE_SHARES = (0.6, 0.35, 0.05)
NEXT: Mapping[str, tuple[tuple[str, float], ...]] = {
    "view": (("wishlist", 0.05), ("add_to_cart", 0.12)),
    "add_to_cart": (("purchase", 0.4),),
}
"""What may follow what, with the chance of it."""
MOST_VIEWS = 4
LIKED = 4.0
"""How much likelier a visitor looks at an item of the kind that he likes."""
VALUE_LOCATION, VALUE_SPREAD = 3.4, 0.5
"""The logarithm of what a purchase is worth, where the item has no price: about 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a visitor does."""

    type: str
    item: str
    value: float | None = None


class Wandering:
    """Lets visitors look around in their campaign's items, more among those of the kind that each likes.

    A liking is a hash of the visitor over the values of one item attribute; no model under test has a part in it.
    """

    def __init__(self, items: Mapping[str, Item], *, attribute: str = "item_feature_1") -> None:
        by_campaign: dict[str, list[Item]] = {}
        for item in items.values():
            by_campaign.setdefault(str(item.attributes.get("campaign", "")), []).append(item)
        self._items: Mapping[str, Sequence[Item]] = by_campaign
        self._attribute = attribute
        self._kinds = {
            campaign: sorted({str(item.attributes.get(attribute, "")) for item in found})
            for campaign, found in by_campaign.items()
        }

    def deeds(self, subject: str, campaign: str, rng: random.Random) -> list[Deed]:
        """Return what a visitor does on one walk; nothing where the campaign has no items."""
        items = self._items.get(campaign, ())
        if not items:
            return []
        liked = _one_of(self._kinds[campaign], subject)
        weights = [LIKED if str(item.attributes.get(self._attribute, "")) == liked else 1.0 for item in items]
        seen = rng.choices(items, weights, k=rng.randint(1, MOST_VIEWS))
        return [deed for item in seen for deed in _followed("view", item, rng)]


def device(subject: str) -> str:
    """Return what a visitor holds in his hand, the same at every visit."""
    return random.Random(subject).choices(DEVICES, DEVICE_SHARES)[0]


def _one_of(kinds: Sequence[str], subject: str) -> str:
    return kinds[int.from_bytes(blake2b(subject.encode(), digest_size=8).digest(), "big") % len(kinds)]


def _followed(kind: str, item: Item, rng: random.Random) -> Iterator[Deed]:
    yield Deed(type=kind, item=item.item_id, value=_worth(item, rng) if kind == "purchase" else None)
    for following, chance in NEXT.get(kind, ()):
        if rng.random() < chance:
            yield from _followed(following, item, rng)


def _worth(item: Item, rng: random.Random) -> float:
    price = item.attributes.get("price")
    if isinstance(price, int | float):
        return float(price)
    return round(rng.lognormvariate(VALUE_LOCATION, VALUE_SPREAD), 2)
