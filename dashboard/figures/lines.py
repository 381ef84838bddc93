"""Figures over time: gaps are breaks with a grey band, series differ in dash, marks say what happened."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboard.figures.built import once
from dashboard.figures.marked import local, mark
from dashboard.queries.marks import Mark
from dashboard.text import safe
from dashboard.theme import DASHES, Theme, template
from storage.records.clock import moment

Points = Sequence[tuple[int, float | None]]


@once
def lines(
    series: Mapping[str, Points],
    look: Theme,
    *,
    zone: str,
    unit: str,
    limit: tuple[float, str] | None = None,
    gaps: Sequence[tuple[int, int]] = (),
    marks: Sequence[Mark] = (),
    hover: Mapping[str, Sequence[str]] | None = None,
    height: int = 260,
) -> go.Figure:
    """Return lines over time, values in ``unit``. None breaks a line; it is never drawn as zero. Time before the first
    known value is left out.

    ``limit`` is a target line with its label; ``hover`` gives extra text per point of a series.
    """
    figure = go.Figure(layout={"template": template(look)})
    known = [at for points in series.values() for at, value in points if value is not None]
    first, last = min(known, default=0), max(known, default=0)
    for place, (name, points) in enumerate(series.items()):
        begun = [point for point in points if point[0] >= first]
        texts = list((hover or {}).get(name, ()))[len(points) - len(begun) :]
        figure.add_trace(
            go.Scatter(
                x=[local(at, zone) for at, _ in begun],
                y=[value for _, value in begun],
                name=safe(name, "figure", limit=40),
                mode="lines+markers" if sum(value is not None for _, value in points) <= 30 else "lines",
                marker={"size": 5},
                connectgaps=False,
                line={
                    "color": look.series[place % len(look.series)],
                    "dash": DASHES[place % len(DASHES)],
                    "width": 2,
                },
                customdata=texts or None,
                hovertemplate="%{y:,.3g} "
                + unit
                + (" · %{customdata}" if texts else "")
                + f"<extra>{safe(name, 'figure', limit=40)}</extra>",
            )
        )
    if limit is not None:
        figure.add_hline(
            y=limit[0],
            line={"color": look.warn, "width": 1, "dash": "longdash"},
            annotation={"text": limit[1], "font": {"color": look.warn, "size": 11}},
            annotation_position="top right",
        )
    mark(figure, look, zone=zone, within=(first, last), marks=marks, gaps=gaps)
    figure.update_layout(
        height=height,
        hovermode="x unified",
        showlegend=len(series) > 1,
        yaxis={"title": {"text": unit}, "rangemode": "tozero"},
        xaxis={"title": {"text": zone}},
    )
    return figure


def alt(series: Mapping[str, Points], what: str, unit: str) -> str:
    """Return the text alternative of lines: for each the last value, the least and the greatest, and its trend."""
    told = []
    for name, points in series.items():
        known = [value for _, value in points if value is not None]
        if not known:
            told.append(f"{name}: no data")
            continue
        half = len(known) // 2 or 1
        first, last = sum(known[:half]) / half, sum(known[-half:]) / half
        trend = (
            "steady" if abs(last - first) <= 0.1 * max(abs(first), 1e-9) else "rising" if last > first else "falling"
        )
        told.append(f"{name}: last {known[-1]:.3g}, {min(known):.3g} to {max(known):.3g} {unit}, {trend}")
    return f"{what} over time. " + "; ".join(told)


def rows(series: Mapping[str, Points], zone: str) -> list[dict[str, object]]:
    """Return the numbers of lines as rows, one per series and instant."""
    where = ZoneInfo(zone)
    return [
        {"series": name, "at": moment(at).astimezone(where).isoformat(), "value": value}
        for name, points in series.items()
        for at, value in points
    ]
