"""What tires a person, counted beside the caps: one more counter of an impression, gone with an answer."""

from scoring_core.caps import number_of
from scoring_core.fatigue import Weariness
from storage.hot.caps import RESERVED, Counted, Window, unpacked
from storage.records.tallies import Counter

OF_ITEM, OF_CAMPAIGN = 1, 2
"""Under which numbers a store counts what tires; caps are numbered above."""
HALF_LIVES = 10
"""After so many an impression weighs less than a thousandth, and is forgotten."""
KEPT = 256
"""How many impressions are kept of a person."""
UNLIMITED = 1 << 31


def counters_of(ordinal: int, campaign: str | None) -> tuple[Counter, ...]:
    """Return what an impression of an item raises."""
    of_item = (OF_ITEM, ordinal)
    return (of_item,) if campaign is None else (of_item, (OF_CAMPAIGN, number_of(campaign)))


def unanswered(ordinal: int) -> Counter:
    """Return the counter of an item's impressions; an answer takes them away."""
    return OF_ITEM, ordinal


def wearing_windows(half_life_s: float) -> dict[int, Window]:
    """Return for how long impressions tire, by counter."""
    lasts = int(half_life_s * HALF_LIVES)
    return {number: Window(number, UNLIMITED, lasts, most=KEPT) for number in (OF_ITEM, OF_CAMPAIGN)}


def wearing(counted: Counted, *, half_life_s: float, campaign: str | None) -> Weariness:
    """Return what tires a person at the store's time; reservations do not: nothing was shown yet."""
    person = of_campaign = 0.0
    items: dict[int, float] = {}
    asked = None if campaign is None else number_of(campaign)
    for number, value, at, mark in unpacked(counted.rows):
        if number not in (OF_ITEM, OF_CAMPAIGN) or mark & RESERVED:
            continue
        worth = 2.0 ** (-max(counted.now_s - at, 0) / half_life_s)
        if number == OF_ITEM:
            person += worth
            items[value] = items.get(value, 0.0) + worth
        elif value == asked:
            of_campaign += worth
    return Weariness(person, of_campaign, tuple(sorted(items.items())))
