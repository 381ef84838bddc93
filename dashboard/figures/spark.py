"""The course of a figure as a line without axes, to stand under it.

A picture, not a chart of a library: a browser loads Vega for half a second and draws five of its lines for another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard.text import digits
from dashboard.theme import Theme

WIDTH, HEIGHT, MARGIN = 200, 40, 2


@dataclass(frozen=True, slots=True)
class Spark:
    """A picture as SVG, and what it shows in words."""

    svg: str
    alt: str


def spark(
    values: Sequence[float | None], look: Theme, *, what: str, told: Callable[[float], str] = digits
) -> Spark | None:
    """Return the line of ``values`` from left to right, between their least and greatest; None of fewer than two known.

    A value that is None breaks the line; what is unknown before the first and after the last known one is left out, and
    one that stands alone is a dot. ``told`` writes values in words.
    """
    spots = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(spots) < 2:
        return None
    known = [value for _, value in spots]
    low, span = min(known), max(known) - min(known)
    (first, _), (last, _) = spots[0], spots[-1]
    path, before = [], -2
    for place, value in spots:
        below = 0.5 if not span else (low + span - value) / span
        x, y = WIDTH * (place - first) / (last - first), MARGIN + (HEIGHT - 2 * MARGIN) * below
        path.append(f"L{x:.1f},{y:.1f}" if place == before + 1 else f"M{x:.1f},{y:.1f}h0")
        before = place
    return Spark(
        svg=f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{"".join(path)}" fill="none" stroke="{look.muted}" stroke-width="1.5" stroke-linejoin="round" '
        f'stroke-linecap="round" vector-effect="non-scaling-stroke"/></svg>',
        alt=f"{what}: {told(low)} to {told(low + span)}, last {told(known[-1])}",
    )
