"""A matrix of two attributes: colour for the ratio to everyone else, text for ratio and count, grey for too few."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.text import safe, short
from dashboard.theme import Theme, template

SPAN = 0.5
"""Ratios from 1 − SPAN to 1 + SPAN have colours of their own; beyond it the strongest."""


def crossed(
    rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], Mapping[str, Any]], look: Theme
) -> go.Figure:
    """Return the matrix; cells below the minimum show their count alone."""
    figure = go.Figure(layout={"template": template(look)})

    def text(row: str, column: str) -> str:
        cell = cells.get((row, column))
        if cell is None:
            return ""
        if cell["too_small"] or cell["ratio"] is None:
            return f"n {short(cell['n'])}"
        return f"{cell['ratio']:.2f}<br>n {short(cell['n'])}"

    def value(row: str, column: str) -> float | None:
        cell = cells.get((row, column))
        return None if cell is None or cell["too_small"] else cell["ratio"]

    names = [[safe(each, "figure", limit=16) for each in side] for side in (columns, rows)]
    figure.add_trace(
        go.Heatmap(
            z=[[value(row, column) for column in columns] for row in rows],
            x=names[0],
            y=names[1],
            text=[[text(row, column) for column in columns] for row in rows],
            texttemplate="%{text}",
            zmin=1.0 - SPAN,
            zmax=1.0 + SPAN,
            colorscale=[[0.0, look.warn], [0.5, look.ground], [1.0, look.info]],
            xgap=2,
            ygap=2,
            hoverongaps=False,
            colorbar={"thickness": 8, "title": {"text": "ratio to<br>everyone else"}, "tickvals": [0.5, 0.8, 1.0, 1.5]},
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
    )
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            if (row, column) in cells and value(row, column) is None:
                figure.add_annotation(
                    x=x, y=y, text=text(row, column), showarrow=False, font={"size": 11, "color": look.muted}
                )
    figure.update_layout(
        height=110 + 44 * max(1, len(rows)),
        xaxis={"side": "top", "showgrid": False, "type": "category"},
        yaxis={"autorange": "reversed", "showgrid": False, "type": "category"},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )
    return figure
