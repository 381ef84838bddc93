"""A chart over time with what happened in that time: the same marks, gaps and links on every page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import lines
from dashboard.figures.lines import Points
from dashboard.queries import live, marks
from dashboard.queries.marks import Mark
from dashboard.span import Span
from dashboard.widgets import chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened while something was drawn: marks, and stretches that nobody observed."""

    marks: tuple[Mark, ...]
    gaps: tuple[tuple[int, int], ...]


def happened(context: Context, *, start: int, end: int) -> Happened:
    """Return what happened from ``start`` to ``end``, within the range of the page or not."""
    span = replace(context.span, start=start, end=max(end, start + 1))
    return Happened(marks=read(context, marks.marks, span=span), gaps=read(context, live.gaps, span=span))


def drawn(series: Mapping[str, Points], span: Span) -> tuple[int, int]:
    """Return the part of a range that lines cover, a step beyond the last point.

    >>> span = Span(key="all", start=0, end=1000, zone="UTC", live=True)
    >>> drawn({"a": ((0, None), (10, 1.0), (20, 2.0), (30, None))}, span)
    (10, 30)
    """
    known = [at for points in series.values() for at, value in points if value is not None]
    if not known:
        return span.start, span.end
    ats = sorted({at for points in series.values() for at, _ in points})
    step = min((after - before for before, after in pairwise(ats)), default=1)
    return min(known), max(known) + step


def draw(
    context: Context,
    series: Mapping[str, Points],
    *,
    key: str,
    what: str,
    unit: str,
    zone: str = "",
    limit: tuple[float, str] | None = None,
    hover: Mapping[str, Sequence[str]] | None = None,
    height: int = 260,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Draw lines with what happened in the range of the page, or in the time that they cover where that is a small part
    of it; ``rows`` are the numbers, if the points are not all of them."""
    zone = zone or context.span.zone
    start, end = drawn(series, context.span)
    if 2 * (end - start) >= context.span.width:
        start, end = context.span.start, context.span.end
    beside = happened(context, start=start, end=end)
    chart(
        lines.lines(
            series,
            context.look,
            zone=zone,
            unit=unit,
            limit=limit,
            gaps=beside.gaps,
            marks=beside.marks,
            hover=hover,
            height=height,
        ),
        key=key,
        alt=lines.alt(series, what, unit),
        rows=lambda: lines.rows(series, zone) if rows is None else rows,
        marks=beside.marks,
    )
