"""How large groups of people are, as bars that lie."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.text import count, percent, safe
from dashboard.theme import Theme, faded, template

ROW = 30


def sizes(groups: Sequence[tuple[str, int, float | None]], whole: int, look: Theme) -> go.Figure:
    """Return a bar per group (name, people, mean confidence), its share of everyone beside it; one may be in several.

    A bar is the fainter the less sure its members are.
    """
    figure = go.Figure(layout={"template": template(look)})
    names = [safe(name, "figure", limit=20) for name, _, _ in groups]
    figure.add_trace(
        go.Bar(
            x=[people for _, people, _ in groups],
            y=list(range(len(groups))),
            orientation="h",
            marker={"color": [faded(look.accent, 0.25 + 0.6 * (sure or 0.0)) for _, _, sure in groups]},
            text=[f"{count(people)}  {percent(people / whole if whole else None)}" for _, people, _ in groups],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 11, "color": look.muted},
            customdata=[
                [name, "nobody" if sure is None else f"{sure:.2f}"]
                for name, (_, _, sure) in zip(names, groups, strict=True)
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:,} people<br>mean confidence %{customdata[1]}<extra></extra>",
        )
    )
    most = max((people for _, people, _ in groups), default=0)
    figure.update_layout(
        height=60 + ROW * max(1, len(groups)),
        showlegend=False,
        bargap=0.35,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"title": {"text": "people"}, "range": [0, 1.35 * most or 1], "tickformat": "~s", "nticks": 5},
        yaxis={
            "tickvals": list(range(len(groups))),
            "ticktext": names,
            "range": [len(groups) - 0.5, -0.5],
            "showgrid": False,
        },
    )
    return figure
