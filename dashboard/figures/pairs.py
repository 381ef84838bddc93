"""Now beside the draft: two dots per row, joined by a line."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.text import safe
from dashboard.theme import Theme, template


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row: a share as it is, and as it would be."""

    name: str
    now: float
    draft: float
    n: int | None = None


def pairs(rows: Sequence[Pair], look: Theme, *, title: str) -> go.Figure:
    """Return a hollow dot for now and a filled one for the draft per row; a line says how far it moves."""
    figure = go.Figure(layout={"template": template(look)})
    names = [safe(row.name, "figure", limit=26) for row in rows]
    places = list(range(len(rows)))
    for place, row in zip(places, rows, strict=True):
        figure.add_shape(
            type="line", x0=row.now, x1=row.draft, y0=place, y1=place, line={"color": look.line, "width": 3}
        )
    for label, values, symbol in (
        ("now", [row.now for row in rows], "circle-open"),
        ("as drafted", [row.draft for row in rows], "circle"),
    ):
        figure.add_trace(
            go.Scatter(
                x=values,
                y=places,
                mode="markers",
                name=label,
                marker={"size": 10, "symbol": symbol, "color": look.accent, "line": {"width": 2, "color": look.accent}},
                customdata=names,
                hovertemplate="<b>%{customdata}</b><br>" + label + " %{x:.2%}<extra></extra>",
            )
        )
    most = max((value for row in rows for value in (row.now, row.draft)), default=1.0) or 1.0
    figure.update_layout(
        height=110 + 30 * max(1, len(rows)),
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.12, "x": 0},
        xaxis={"title": {"text": title}, "tickformat": ".2~%", "range": [-0.03 * most, 1.06 * most], "zeroline": False},
        yaxis={"tickvals": places, "ticktext": names, "range": [len(rows) - 0.5, -0.5], "showgrid": False},
    )
    return figure
