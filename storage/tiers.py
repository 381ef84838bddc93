"""Tiers of metric windows: 10 s, 1 min, 15 min, 1 day; sums roll up, late rows re-open their window."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from storage.database import Read, Write
from storage.records.clock import DAY, HOUR, MINUTE, SECOND

Tier = Literal["t0", "t1", "t2", "t3"]


@dataclass(frozen=True, slots=True)
class TierRule:
    """A tier's step, how long it is kept, and the finer tier it is summed from."""

    step_us: int
    keep_us: int
    source: Tier | None


TIERS: Mapping[Tier, TierRule] = {
    "t0": TierRule(10 * SECOND, 48 * HOUR, None),
    "t1": TierRule(MINUTE, 14 * DAY, "t0"),
    "t2": TierRule(15 * MINUTE, 400 * DAY, "t1"),
    "t3": TierRule(DAY, 1_826 * DAY, "t2"),
}


def pick_tier(start: int, end: int) -> Tier:
    """Return the coarsest tier with at least 300 points in a range, the finest if none has.

    >>> [pick_tier(0, hours * HOUR) for hours in (1, 24, 24 * 7, 24 * 400)]
    ['t0', 't1', 't2', 't3']
    """
    fitting: list[Tier] = [tier for tier, rule in TIERS.items() if (end - start) // rule.step_us >= 300]
    return fitting[-1] if fitting else "t0"


def watermark(read: Read, tier: Tier) -> int:
    """Return the instant below which a tier is complete; 0 before its first roll-up."""
    raise NotImplementedError


def roll_up(write: Write, tier: Tier, *, now: int) -> int:
    """Sum closed intervals of the finer tier into ``tier``, late ones again; return how many windows were written."""
    raise NotImplementedError


def retain(write: Write, *, now: int) -> dict[Tier, int]:
    """Delete windows past their time, never above the next tier's watermark; return how many went per tier."""
    raise NotImplementedError
