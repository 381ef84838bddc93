"""Figures of distributions and of groups with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.figures.built import once
from dashboard.text import count, safe, short
from dashboard.theme import DASHES, Theme, faded, template

FEW = 5
"""Counts up to this many are told apart one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One group's value with its 95 % interval and how many stand behind it."""

    name: str
    value: float
    low: float
    high: float
    n: int


def estimates(
    groups: Sequence[Estimate],
    look: Theme,
    *,
    title: str,
    reference: tuple[float, str] | None = None,
    share: bool = True,
    screen: float | None = None,
) -> go.Figure:
    """Return a dot with its interval per group, the count on the right, and a dashed reference line.

    ``screen`` draws a second, dotted line (such as the four-fifths screening line).
    """
    figure = go.Figure(layout={"template": template(look)})
    names = [safe(group.name, "figure", limit=12) for group in groups]
    places = list(range(len(groups)))
    figure.add_trace(
        go.Scatter(
            x=[group.value for group in groups],
            y=places,
            mode="markers",
            marker={"size": 9, "color": look.accent},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, group.high - group.value) for group in groups],
                "arrayminus": [max(0.0, group.value - group.low) for group in groups],
                "color": look.accent,
                "thickness": 2,
                "width": 4,
            },
            customdata=[
                [name, count(group.n), group.low, group.high] for name, group in zip(names, groups, strict=True)
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:"
            + (".3%}" if share else ".3f}")
            + ", 95 % %{customdata[2]:.4g} to %{customdata[3]:.4g}<br>n %{customdata[1]}<extra></extra>",
        )
    )
    for place, group in zip(places, groups, strict=True):
        figure.add_annotation(
            x=1,
            xref="paper",
            xanchor="left",
            xshift=6,
            y=place,
            text=f"n {short(group.n)}",
            showarrow=False,
            font={"size": 11, "color": look.muted},
        )
    four_fifths = None if screen is None else (screen, "four-fifths line, reference only")
    leftmost = min((group.low for group in groups), default=0.0)
    for mark, dash, colour, side in (
        (reference, "dash", look.muted, "top right"),
        (four_fifths, "dot", look.warn, "top right" if screen is not None and screen <= leftmost else "top left"),
    ):
        if mark is not None:
            figure.add_vline(
                x=mark[0],
                line={"color": colour, "dash": dash, "width": 1},
                annotation={"text": mark[1], "font": {"size": 11, "color": colour}, "yshift": 14},
                annotation_position=side,
            )
    marks = [mark[0] for mark in (reference, four_fifths) if mark is not None]
    low, high = (min((*marks, *(group.low for group in groups))), max((*marks, *(group.high for group in groups))))
    air = 0.06 * (high - low or high or 1.0)
    figure.update_layout(
        height=100 + 34 * max(1, len(groups)),
        showlegend=False,
        margin={"l": 8, "r": 64, "t": 28, "b": 8},
        xaxis={
            "title": {"text": title},
            "tickformat": ".2~%" if share else ".3~g",
            "range": [low - air if low < 0.0 else max(0.0, low - air), high + air],
            "zeroline": False,
        },
        yaxis={
            "tickvals": places,
            "ticktext": names,
            "range": [len(places) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return figure


@once
def histogram(
    bins: Sequence[str],
    parts: Sequence[tuple[str, Sequence[float]]],
    look: Theme,
    *,
    title: str,
    percent: bool = False,
    height: int = 240,
) -> go.Figure:
    """Return bars per bin; the first part is filled, later ones are drawn as stepped lines."""
    figure = go.Figure(layout={"template": template(look)})
    labels = [safe(one, "figure", limit=20) for one in bins]
    for place, (name, values) in enumerate(parts):
        colour = look.series[place % len(look.series)]
        shape = (
            go.Bar(x=labels, y=list(values), marker={"color": faded(colour, 0.75)}, name=safe(name, "figure"))
            if place == 0
            else go.Scatter(
                x=labels,
                y=list(values),
                mode="lines+markers",
                marker={"color": colour, "size": 5},
                line={"color": colour, "shape": "hvh", "dash": DASHES[place]},
                name=safe(name, "figure"),
            )
        )
        figure.add_trace(shape)
    figure.update_traces(
        hovertemplate="%{x}: %{y:" + (".1%" if percent else ",.4~g") + "}<extra>%{fullData.name}</extra>"
    )
    figure.update_layout(
        height=height,
        bargap=0.08,
        showlegend=len(parts) > 1,
        xaxis={"title": {"text": title}, "type": "category"},
        yaxis={
            "tickformat": ".0%" if percent else "~s",
            "rangemode": "tozero",
            "dtick": 1 if not percent and all(value <= FEW for _, values in parts for value in values) else None,
        },
    )
    return figure


@once
def reliability(points: Sequence[tuple[float, float, int]], look: Theme) -> go.Figure:
    """Return a reliability diagram: predicted against observed, the size of a dot is its count, the diagonal is
    perfect."""
    figure = go.Figure(layout={"template": template(look)})
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": look.muted, "dash": "dot", "width": 1},
            hoverinfo="skip",
        )
    )
    most = max((n for _, _, n in points), default=1) or 1
    figure.add_trace(
        go.Scatter(
            x=[x for x, _, _ in points],
            y=[y for _, y, _ in points],
            mode="markers+lines",
            line={"color": look.accent, "width": 1},
            marker={"size": [6 + 10 * n / most for _, _, n in points], "color": look.accent},
            customdata=[count(n) for _, _, n in points],
            hovertemplate="said %{x:.0%}, came %{y:.0%}, n %{customdata}<extra></extra>",
        )
    )
    figure.update_layout(
        height=240,
        showlegend=False,
        xaxis={"title": {"text": "confidence said"}, "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": {"text": "outcome came"}, "range": [0, 1], "tickformat": ".0%"},
    )
    return figure
