"""What is kept against its limit, and what of the engines was not collected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from governance.installation import installation
from storage import dead_letters, holdings, scrapes, series
from storage.database import Read
from storage.holdings import Kept
from storage.records.clock import DAY, MINUTE
from storage.records.retention import Retention
from storage.scrapes import Scrape

How = Literal["in time", "late", "gone"]
LIMITS: Mapping[str, str] = {
    "decisions": "rows_days",
    "decisions of imports": "rows_days",
    "events": "rows_days",
    "events of imports": "rows_days",
    "epochs": "rows_days",
    "epochs of imports": "rows_days",
    "cells": "cells_days",
    "dead_letters": "dead_letters_days",
    "requests": "requests_days",
}
"""The setting that says how many days each kind is kept."""
SLACK = 2 * DAY
"""Retention goes by whole days, once a day, and keeps epochs one longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One kind with the days after which it goes; ``overdue`` where its oldest should be gone."""

    kept: Kept
    days: int
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Every kind, how large the lake's files are, and the settings that limit them."""

    kinds: tuple[Holding, ...]
    lake_bytes: int
    limits: Retention


def holdings_of(read: Read, *, now: int) -> Holdings:
    """Return what is kept against what may be kept."""
    limits = installation(read).retention
    kinds = []
    for one in holdings.kept(read):
        days = int(getattr(limits, LIMITS[one.kind]))
        late = one.oldest is not None and now - one.oldest > days * DAY + SLACK
        kinds.append(Holding(kept=one, days=days, overdue=late))
    return Holdings(kinds=tuple(kinds), lake_bytes=sum(one.kept.bytes or 0 for one in kinds), limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of which no engine's counts were collected."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What came of asking each replica, and what is missing of the last day; ``behind`` tells how a source is: read in
    time, silent, or gone for so long that it is history."""

    sources: tuple[tuple[Scrape, How], ...]
    gaps: tuple[Gap, ...]
    since: int

    @property
    def missing_us(self) -> int:
        """How much of the last day is missing."""
        return sum(gap.end - gap.start for gap in self.gaps)


LATE, GONE = MINUTE // 2, DAY


def collected(read: Read, *, now: int) -> Collected:
    """Return how the collectors stand, and the gaps of the last 24 hours."""
    told: list[tuple[Scrape, How]] = []
    for one in sorted(scrapes.scrapes(read).values(), key=lambda each: (each.replica, each.what)):
        age = now - (one.last_ok or 0)
        told.append((one, "in time" if age <= LATE else "late" if now - one.at <= GONE else "gone"))
    gaps = tuple(Gap(start=gap.start, end=gap.end) for gap in series.gaps(read, now - DAY, now - MINUTE))
    return Collected(sources=tuple(told), gaps=gaps, since=now - DAY)


def letters(read: Read) -> Mapping[str, int]:
    """Return how many refused events are kept, by what they were refused for, most first."""
    return dict(sorted(dead_letters.codes(read).items(), key=lambda pair: (-pair[1], pair[0])))
