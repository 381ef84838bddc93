"""The moments of a range at which a figure is farthest from what it usually is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dashboard.queries.live import Points, Pulse

MOST = 6
FAR = 3.5
"""In median absolute deviations, scaled to a standard deviation (Iglewicz and Hoaglin, 1993)."""
SCALE = 1.4826
FEWEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One step of one figure: what it was, and what it usually is."""

    start: int
    end: int
    figure: str
    value: float
    usual: float
    far: float


def of(figure: str, points: Points, end: int) -> list[Spike]:
    """Return the spikes of one figure; a figure that hardly ever moves has none unless it leaves its usual value."""
    known = [(at, value) for at, value in points if value is not None]
    if len(known) < FEWEST:
        return []
    usual = median(value for _, value in known)
    spread = SCALE * median(abs(value - usual) for _, value in known) or 0.05 * abs(usual) or 1e-9
    ends = {at: later for (at, _), (later, _) in zip(points, (*points[1:], (end, None)), strict=True)}
    return [
        Spike(start=at, end=ends[at], figure=figure, value=value, usual=usual, far=abs(value - usual) / spread)
        for at, value in known
        if abs(value - usual) > FAR * spread
    ]


def spikes(now: Pulse, end: int) -> tuple[Spike, ...]:
    """Return the moments of a pulse that are farthest from usual, one a step, the farthest first."""
    figures: Mapping[str, Points] = {
        "decisions/s": now.per_second.points,
        "errors": now.errors.points,
        "fallback or default": now.fallback.points,
        "p95 ms": now.latency["p95"],
    }
    found = sorted(
        (one for figure, points in figures.items() for one in of(figure, points, end)), key=lambda one: -one.far
    )
    return _apart(found)[:MOST]


def _apart(found: Sequence[Spike]) -> tuple[Spike, ...]:
    kept: list[Spike] = []
    for one in found:
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return tuple(kept)
