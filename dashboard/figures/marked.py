"""What happened, drawn over a figure of time: a grey band where nobody observed, a line and a link where it changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboard.queries.marks import Mark
from dashboard.text import safe
from dashboard.theme import Theme, faded
from storage.records.clock import moment

Gaps = Sequence[tuple[int, int]]
NAMED = 3
"""So many marks carry their names; more are numbered, as the list of them under the figure is."""


def local(at: int, zone: str) -> datetime:
    """Return an instant as the clock on the wall of ``zone`` reads it; Plotly draws no zones."""
    return moment(at).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _axis(at: int, zone: str) -> str:
    """Return an instant as paths of Plotly write it."""
    return local(at, zone).isoformat(sep="_", timespec="milliseconds")


def mark(
    figure: go.Figure, look: Theme, *, zone: str, within: tuple[int, int], marks: Sequence[Mark] = (), gaps: Gaps = ()
) -> None:
    """Draw marks and gaps over a figure whose x axis is time, ``within`` two instants; a mark's label leads to where it
    is written down, and stands on the side of it that has more room.

    All gaps are one path, and so are all marks: a browser takes its time over each shape of a figure.
    """
    over = {"type": "path", "xref": "x", "yref": "paper"}
    shapes: list[dict[str, Any]] = []
    if gaps:
        bands = (f"M{_axis(start, zone)},0V1H{_axis(end, zone)}V0Z" for start, end in gaps)
        shaded = {"fillcolor": faded(look.muted, 0.15), "line": {"width": 0}, "layer": "below"}
        shapes.append({"path": "".join(bands), **shaded, **over})
    if marks:
        lines = (f"M{_axis(one.at, zone)},0V1" for one in marks)
        dotted = {"line": {"color": look.info, "width": 1, "dash": "dot"}}
        shapes.append({"path": "".join(lines), **dotted, **over})
    few, notes = len(marks) <= NAMED, []
    for place, one in enumerate(marks):
        name = safe(one.text, "figure", limit=28 if few else 90)
        side = "right" if 2 * one.at > sum(within) else "left"
        notes.append(
            {
                "x": local(one.at, zone),
                "y": (0.84 - 0.1 * place) if few else 1.0,
                "yref": "paper",
                "text": f'<a href="{one.address()}">{name if few else place + 1}</a>',
                "hovertext": name,
                "showarrow": False,
                "xanchor": side if few else "center",
                "yanchor": "middle" if few else "top",
                "xshift": {"left": 4, "right": -4}[side] if few else 0,
                "bgcolor": look.ground,
                "font": {"size": 11, "color": look.info},
            }
        )
    # All at once: Plotly looks through the whole figure again for each that is added alone.
    figure.update_layout(shapes=[*figure.layout.shapes, *shapes], annotations=[*figure.layout.annotations, *notes])
