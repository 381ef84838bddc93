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

    A value that is None breaks the line. ``told`` writes values in words.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    low, span = min(known), max(known) - min(known)
    path, broken = [], True
    for place, value in enumerate(values):
        if value is not None:
            below = 0.5 if not span else (low + span - value) / span
            x, y = WIDTH * place / (len(values) - 1), MARGIN + (HEIGHT - 2 * MARGIN) * below
            path.append(f"{'M' if broken else 'L'}{x:.1f},{y:.1f}")
        broken = value is None
    return Spark(
        svg=f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{"".join(path)}" fill="none" stroke="{look.muted}" stroke-width="1.5" stroke-linejoin="round" '
        f'vector-effect="non-scaling-stroke"/></svg>',
        alt=f"{what}: {told(low)} to {told(low + span)}, last {told(known[-1])}",
    )
