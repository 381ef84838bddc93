"""The course of a figure as a line without axes, to stand under it.

A picture, not a chart of a library: a browser loads Vega for half a second and draws five of its lines for another.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape

from dashboard.text import digits
from dashboard.theme import Theme

HEIGHT = 44
MARGIN = 0.06


def spark(values: Sequence[float | None], look: Theme, *, what: str, told: Callable[[float], str] = digits) -> str:
    """Return an image as HTML, or "" for fewer than two known values.

    ``values`` go from left to right, between their least and greatest; None breaks the line. ``told`` writes them in
    the text alternative.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, span = min(known), max(known) - min(known)
    path, broken = [], True
    for place, value in enumerate(values):
        if value is not None:
            height = 0.5 if not span else MARGIN + (1 - 2 * MARGIN) * (low + span - value) / span
            path.append(f"{'M' if broken else 'L'}{place},{height:.3f}")
        broken = value is None
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(values) - 1} 1" preserveAspectRatio="none">'
        f'<path d="{"".join(path)}" fill="none" stroke="{look.muted}" stroke-width="1.5" stroke-linejoin="round" '
        f'vector-effect="non-scaling-stroke"/></svg>'
    )
    alt = f"{what}: {told(low)} to {told(low + span)}, last {told(known[-1])}"
    source = b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{source}" width="100%" height="{HEIGHT}">'
