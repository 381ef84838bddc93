"""Which tiers of metric windows answer for a range: each of its instants from one tier, as coarse as will do."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import or_

from storage.tables.observed import SampleRow, WindowRow
from storage.tiers import TIERS, Marks, Tier, coarser, pick_tier

Spans = Sequence[tuple[Tier, int, int]]
"""Tier, start and end (microseconds UTC, end excluded) of the parts of a range, in order."""
MOST_POINTS = 2_000


def fitting(marks: Marks, start: int, end: int, step_us: int | None) -> Tier:
    """Return the tier to read: fine enough for the step or the range, and reaching back to its start."""
    if step_us is None:
        tier = pick_tier(start, end)
    else:
        fitting: list[Tier] = [name for name, rule in TIERS.items() if step_us % rule.step_us == 0]
        tier = fitting[-1] if fitting else "t0"
    while start < marks.retained_from(tier) and (above := coarser(tier)) is not None:
        tier = above
    return tier


def width(tier: Tier, start: int, end: int, step_us: int | None) -> int:
    """Return the step to show: what was asked for, as far as the tier can, or few enough points to draw."""
    own = TIERS[tier].step_us
    if step_us is None:
        return own * max(1, -(-(end - start) // (own * MOST_POINTS)))
    return step_us if tier == "t0" else own * -(-step_us // own)


def even(marks: Marks, tier: Tier, start: int, end: int) -> Spans:
    """Split a range into what ``tier`` holds already and what only finer tiers do."""
    parts: list[tuple[Tier, int, int]] = []
    names = list(TIERS)
    for name in reversed(names[: names.index(tier) + 1]):
        mark = end if name == "t0" else min(end, marks.watermark(name))
        if mark > start:
            parts.append((name, start, mark))
            start = mark
    return parts


def coarsest(marks: Marks, tier: Tier, start: int, end: int) -> Spans:
    """Split a range into the longest intervals that were summed, those of ``tier`` and finer ones at both ends."""
    above = coarser(tier)
    if above is None:
        return even(marks, tier, start, end)
    step = TIERS[above].step_us
    first, last = -(-start // step) * step, min(end, marks.watermark(above)) // step * step
    if first >= last:
        return even(marks, tier, start, end)
    return [
        *even(marks, tier, start, first),
        *coarsest(marks, above, first, last),
        *even(marks, tier, last, end),
    ]


def within(row: type[WindowRow] | type[SampleRow], parts: Spans) -> Any:
    """Return the condition that a row lies in one of the parts."""
    return or_(*((row.tier == tier) & (row.start >= start) & (row.start < end) for tier, start, end in parts))
