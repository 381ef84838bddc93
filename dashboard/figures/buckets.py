"""A heatmap of time × bucket: the share of a step that fell into each bucket; steps that nobody saw are bare."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures.built import once
from dashboard.figures.marked import Gaps, local, mark
from dashboard.queries.buckets import Buckets
from dashboard.queries.marks import Mark
from dashboard.text import count, milliseconds
from dashboard.theme import SEQUENTIAL, Theme, template


def names(edges: Sequence[float]) -> list[str]:
    """Return what each bucket is called.

    >>> names((0.005, 0.05))
    ['≤ 5.00 ms', '≤ 50.0 ms', '> 50.0 ms']
    """
    return [*(f"≤ {milliseconds(edge)}" for edge in edges), *(f"> {milliseconds(edge)}" for edge in edges[-1:])]


def used(found: Buckets) -> range:
    """Return the buckets from the first to the last that hold anything."""
    held = [place for counts in found.counts if counts for place, n in enumerate(counts) if n]
    return range(min(held), max(held) + 1) if held else range(0)


@once
def buckets(found: Buckets, look: Theme, *, zone: str, marks: Sequence[Mark] = (), gaps: Gaps = ()) -> go.Figure:
    """Return the heatmap; empty buckets are bare, so that what is rare is seen."""
    figure = go.Figure(layout={"template": template(look)})
    called, rows = names(found.edges), used(found)
    sums = [sum(counts) if counts else 0 for counts in found.counts]

    def share(step: int, place: int) -> float | None:
        counts = found.counts[step]
        return counts[place] / sums[step] if counts and counts[place] else None

    figure.add_trace(
        go.Heatmap(
            z=[[share(step, place) for step in range(len(sums))] for place in rows],
            x=[local(at, zone) for at in found.starts],
            y=[called[place] for place in rows],
            customdata=[[count(counts[place]) if counts else "" for counts in found.counts] for place in rows],
            colorscale=SEQUENTIAL,
            zmin=0.0,
            zmax=1.0,
            hoverongaps=False,
            colorbar={"thickness": 8, "title": {"text": "share"}, "tickformat": ".0%"},
            hovertemplate="%{x}, %{y}: %{z:.1%} · n %{customdata}<extra></extra>",
        )
    )
    figure.update_layout(
        height=260,
        xaxis={"title": {"text": zone}, "showgrid": False},
        yaxis={"type": "category", "showgrid": False},
    )
    mark(figure, look, zone=zone, within=(found.starts[0], found.starts[-1]), marks=marks, gaps=gaps)
    return figure
