"""How often people were shown what a cap counts, and what a stricter one would have held back of that."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring_core.cap_windows import window
from storage import cap_exposures, catalogue
from storage.database import Read
from storage.lake import Lake
from storage.records.caps import Cap
from storage.records.clock import DAY, SECOND

LONGEST = 30 * DAY
"""A longer window is looked at for its last thirty days."""
LEAST_PEOPLE = 50
"""Of fewer nothing is told."""
MOST = 50
"""The curve goes no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What at most ``limit`` would have left of the window: impressions ``given_up`` (each one beyond the limit), their
    share, and how many pairs of a person and a thing it would have touched. ``known`` is false where the cap that held
    then hides what would have come."""

    limit: int
    given_up: int
    share: float
    touched: int
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One cap's window as it was: ``times`` pairs how often a person saw one thing with how many pairs there are of
    that (None: of fewer than 50 people nothing is told); ``over`` impressions went above the limit as it stands now."""

    start: int
    end: int
    limit: int
    people: int | None
    impressions: int
    over: int
    times: tuple[tuple[int, int], ...] | None
    curve: tuple[Tried, ...]
    origins: tuple[str, ...]


def spread(read: Read, lake: Lake, cap: Cap, *, now: int) -> Spread:
    """Return how often people were shown what ``cap`` counts, in its window as it stands at ``now``."""
    start = max(window(cap, 0, now).since(now // SECOND) * SECOND, now - LONGEST)
    things = None
    if cap.per == "attribute":
        values = ((item.item_id, item.attributes.get(cap.attribute)) for item in catalogue.load(read).items)
        things = {name: str(value) for name, value in values if value is not None}
    found = cap_exposures.counted(
        lake,
        read,
        start=start,
        end=now,
        per=cap.per,
        surfaces=cap.surfaces,
        campaigns=cap.campaigns,
        things=things,
    )
    told = found.people >= LEAST_PEOPLE
    impressions = sum(times * n for times, n in found.times.items())
    return Spread(
        start=start,
        end=now,
        limit=cap.limit,
        people=found.people if told else None,
        impressions=impressions if told else 0,
        over=beyond(found.times, cap.limit) if told else 0,
        times=tuple(sorted(found.times.items())) if told else None,
        curve=curve(found.times, cap.limit) if told else (),
        origins=found.origins,
    )


def beyond(times: Mapping[int, int], limit: int) -> int:
    """Return how many impressions lie above a limit.

    >>> beyond({1: 10, 5: 2}, 3)
    4
    """
    return sum(max(shown - limit, 0) * n for shown, n in times.items())


def curve(times: Mapping[int, int], limit: int) -> tuple[Tried, ...]:
    """Return what each limit from 0 to the most that was seen would have left, by the impressions as they
    were: what would have stood in their place, and how that would have been counted, is for a what-if.

    >>> [(one.limit, one.given_up, one.touched, one.known) for one in curve({1: 10, 3: 2}, 2)]
    [(0, 16, 12, True), (1, 4, 2, True), (2, 2, 2, True), (3, 0, 0, False)]
    """
    whole = sum(shown * n for shown, n in times.items())
    if not whole:
        return ()
    return tuple(
        Tried(
            limit=one,
            given_up=(held := beyond(times, one)),
            share=held / whole,
            touched=sum(n for shown, n in times.items() if shown > one),
            known=one <= limit,
        )
        for one in range(min(max(times), MOST) + 1)
    )
