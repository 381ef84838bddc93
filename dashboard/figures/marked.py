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


def mark(figure: go.Figure, look: Theme, *, zone: str, marks: Sequence[Mark] = (), gaps: Gaps = ()) -> None:
    """Draw marks and gaps over a figure whose x axis is time; a mark's label leads to where it is written down."""
    whole = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    shapes: list[dict[str, Any]] = [
        {
            "type": "rect",
            "x0": local(start, zone),
            "x1": local(end, zone),
            "fillcolor": faded(look.muted, 0.15),
            "line": {"width": 0},
            "layer": "below",
            **whole,
        }
        for start, end in gaps
    ]
    few, notes = len(marks) <= NAMED, []
    for place, one in enumerate(marks):
        at, name = local(one.at, zone), safe(one.text, "figure", limit=28 if few else 90)
        line = {"color": look.info, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": at, "x1": at, "line": line, **whole})
        notes.append(
            {
                "x": at,
                "y": (0.84 - 0.1 * place) if few else 1.0,
                "yref": "paper",
                "text": f'<a href="{one.address()}">{name if few else place + 1}</a>',
                "hovertext": name,
                "showarrow": False,
                "xanchor": "left" if few else "center",
                "yanchor": "middle" if few else "top",
                "xshift": 4 if few else 0,
                "bgcolor": look.ground,
                "font": {"size": 11, "color": look.info},
            }
        )
    # All at once: Plotly looks through the whole figure again for each that is added alone.
    figure.update_layout(shapes=[*figure.layout.shapes, *shapes], annotations=[*figure.layout.annotations, *notes])
