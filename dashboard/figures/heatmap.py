"""Heatmaps: colour for the value, text for value and count, hatching for doubt, and markers that can be clicked."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Literal

import plotly.graph_objects as go

from dashboard.queries.grids import BUDGET, LOW_CLICKS, PRIVATE_USERS, TOTAL, Grid, Tile
from dashboard.text import count, digits, interval, percent, safe, short
from dashboard.theme import DIVERGING, INVISIBLE, SEQUENTIAL, Theme, faded, legible, shade, template
from storage.records.clock import iso

Metric = Literal["rate", "lift", "impressions", "width"]
METRICS: dict[Metric, str] = {
    "rate": "Click rate",
    "lift": "Lift over the mean",
    "impressions": "Impressions",
    "width": "Width of the interval",
}
LIFT_LIMIT = 1.0
"""The diverging scale ends at half and double: one step of log2 either way."""
TEXT_CELLS = 400
ROOMY = 8
"""With more columns there is room for one number in a cell."""
MARKER = 40
HATCHED = frozenset({"few", "low", "private"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a metric becomes colour: value of a tile (None: no colour), ends of the scale, its name, its ticks."""

    value: Callable[[Tile], float | None]
    low: float
    high: float
    colours: str
    ticks: tuple[tuple[float, str], ...]


def _shown(tile: Tile) -> bool:
    return tile.mask in {"ok", "low"}


def scale(grid: Grid, metric: Metric) -> Scale:
    """Return the scale of a metric over a grid; masked tiles take no part, save that counts have nothing to doubt."""
    if metric == "lift":
        return Scale(
            value=lambda tile: log2(max(tile.lift, 2**-LIFT_LIMIT)) if _shown(tile) and tile.lift is not None else None,
            low=-LIFT_LIMIT,
            high=LIFT_LIMIT,
            colours=DIVERGING,
            ticks=((-1.0, "½ ×"), (0.0, "mean"), (1.0, "2 ×")),
        )
    by_metric: dict[Metric, Callable[[Tile], float | None]] = {
        "rate": lambda tile: tile.rate.value if _shown(tile) else None,
        "impressions": lambda tile: float(tile.impressions) if tile.mask not in {"private", "none"} else None,
        "width": lambda tile: tile.rate.high - tile.rate.low if _shown(tile) else None,
    }
    value = by_metric[metric]
    found = [number for tile in grid.tiles if (number := value(tile)) is not None] or [0.0, 1.0]
    low, high = (0.0 if metric == "impressions" else min(found)), max(found)
    if high <= low:
        low, high = 0.0, high or 1.0
    name = short if metric == "impressions" else percent
    return Scale(
        value=value,
        low=low,
        high=high,
        colours=SEQUENTIAL,
        ticks=tuple((at, name(at)) for at in (low, (low + high) / 2, high)),
    )


def words(tile: Tile, metric: Metric) -> str:
    """Return what stands in a tile: the metric and how many impressions carry it."""
    if tile.mask == "none":
        return ""
    if tile.mask == "private":
        return f"< {PRIVATE_USERS} people"
    shown = short(tile.impressions)
    if metric == "impressions":
        return shown
    if tile.mask == "few":
        return f"n {shown}"
    value = {
        "rate": percent(tile.rate.value),
        "lift": f"{digits(tile.lift or 0.0, 2)} ×",
        "width": f"± {digits(50 * (tile.rate.high - tile.rate.low), 2)} %",
    }[metric]
    return f"{value} · {shown}"


def told(tile: Tile, metric: Metric, columns: int) -> str:
    """Return a tile's text as far as there is room: the interval stands under the value."""
    parts = words(tile, metric).split(" · ")
    if columns > ROOMY:
        return parts[0]
    if _shown(tile) and metric == "rate":
        parts.insert(1, interval(tile.rate.low, tile.rate.high))
    if len(parts) > 1:
        parts[-1] = f"n {parts[-1]}"
    return "<br>".join(parts)


def hover(tile: Tile, zone: str) -> str:
    """Return a tile's hover text; names are escaped, a private tile tells nothing."""
    name = f"<b>{safe(tile.row, 'figure')} · {safe(tile.column, 'figure')}</b>"
    if tile.mask == "none":
        return f"{name}<br>nothing was shown here"
    if tile.mask == "private":
        return f"{name}<br>hidden: fewer than {PRIVATE_USERS} people, or beside such a cell"
    users = "unknown" if tile.users is None else f"at least {count(tile.users)}"
    lines = [
        name,
        f"{count(tile.impressions)} impressions · {count(tile.clicks)} clicks · {count(tile.conversions)} conversions",
        f"click rate {percent(tile.rate.value)}, 95 % {interval(tile.rate.low, tile.rate.high)} %",
        f"lift {digits(tile.lift, 2)} × the mean" if tile.lift is not None else "no mean to compare with",
        f"{percent(tile.share)} of impressions · distinct people: {users}",
        f"last event {iso(tile.last_at)[:19]} UTC · axes in {zone}",
    ]
    if tile.mask == "few":
        lines.append(f"n too small: {digits(tile.expected, 2)} clicks expected, {LOW_CLICKS / 2:.0f} needed")
    if tile.mask == "low":
        lines.append("low confidence: fewer than 20 clicks expected")
    return "<br>".join(lines)


def _hatching(grid: Grid, look: Theme) -> list[dict[str, object]]:
    """Diagonal strokes over doubtful tiles: doubt must not hang on colour alone."""
    strokes: list[dict[str, object]] = []
    for y, row in enumerate(grid.rows):
        for x, column in enumerate(grid.columns):
            tile = grid.at(row, column)
            if tile.mask not in HATCHED:
                continue
            ink = faded(look.muted, 0.35 if tile.mask == "low" else 0.5)
            strokes += [
                {
                    "type": "line",
                    "layer": "above",
                    "xref": "x",
                    "yref": "y",
                    "x0": x + max(-0.48, at - 0.5),
                    "y0": y + max(-0.46, -at - 0.5),
                    "x1": x + min(0.48, at + 0.5),
                    "y1": y + min(0.46, 0.5 - at),
                    "line": {"color": ink, "width": 1},
                }
                for at in (-0.6, -0.2, 0.2, 0.6)
            ]
    return strokes


Matrix = list[list[float | None]]
Texts = list[list[str]]


def _layer(values: Matrix, texts: Texts, *, name: str, ink: str, **options: object) -> go.Heatmap:
    """One layer of cells that share their ink; text shrinks to its cell, and goes where there is no room."""
    return go.Heatmap(
        z=values,
        text=texts,
        texttemplate="%{text}",
        textfont={"color": ink},
        name=name,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        hoverongaps=False,
        **options,
    )


def _where(grid: Grid, pick: Callable[[Tile], float | None]) -> Matrix:
    return [[pick(grid.at(row, column)) for column in grid.columns] for row in grid.rows]


def _values(grid: Grid, ruler: Scale, metric: Metric, look: Theme, *, text: bool) -> list[go.Heatmap]:
    """The cells that have a colour, in two layers: those that black reads well on, and those for white."""
    span = ruler.high - ruler.low or 1.0
    layers = []
    for ink in ("#000000", "#ffffff"):

        def pick(tile: Tile, ink: str = ink) -> float | None:
            value = ruler.value(tile)
            if value is None:
                return None
            return value if legible(shade(ruler.colours, (value - ruler.low) / span)) == ink else None

        held = _where(grid, pick)
        texts = [
            [
                told(grid.at(row, column), metric, len(grid.columns)) if text and known is not None else ""
                for column, known in zip(grid.columns, line, strict=True)
            ]
            for row, line in zip(grid.rows, held, strict=True)
        ]
        layers.append(
            _layer(
                held,
                texts,
                name=f"values {ink}",
                ink=ink,
                zmin=ruler.low,
                zmax=ruler.high,
                colorscale=ruler.colours,
                showscale=not layers,
                colorbar={
                    "orientation": "h",
                    "thickness": 8,
                    "outlinewidth": 0,
                    "len": 0.5,
                    "x": 0,
                    "xanchor": "left",
                    "y": 1.02,
                    "yanchor": "bottom",
                    "tickvals": [at for at, _ in ruler.ticks],
                    "ticktext": [name for _, name in ruler.ticks],
                    "tickfont": {"color": look.muted, "size": 11},
                    "title": {"text": METRICS[metric], "side": "top", "font": {"color": look.muted, "size": 11}},
                },
            )
        )
    return layers


def _plain(grid: Grid, ruler: Scale, metric: Metric, look: Theme, *, text: bool, totals: bool) -> go.Heatmap:
    """What has no colour: masked cells in grey with what may be said, and totals beside the last column and row."""
    rows = [[grid.at(row, column) for column in grid.columns] for row in grid.rows]
    values: Matrix = [
        [0.0 if ruler.value(tile) is None and tile.mask != "none" else None for tile in line] for line in rows
    ]
    if totals:
        rows = [[*line, total] for line, total in zip(rows, grid.row_totals, strict=True)]
        rows.append([*grid.column_totals, grid.total])
        values = [*([*line, 1.0] for line in values), [1.0] * len(rows[0])]
    texts = [
        [
            told(tile, metric, len(grid.columns)) if text and known is not None else ""
            for tile, known in zip(line, held, strict=True)
        ]
        for line, held in zip(rows, values, strict=True)
    ]
    return _layer(
        values,
        texts,
        name="masked and totals",
        ink=look.ink,
        zmin=0,
        zmax=1,
        colorscale=[[0, faded(look.muted, 0.16)], [1, faded(look.muted, 0.04)]],
        showscale=False,
    )


def _markers(grid: Grid, look: Theme, zone: str) -> go.Scatter:
    """Transparent squares over the cells, several in a wide one: a heatmap itself tells nobody of a click."""
    per = max(1, min(6, 24 // max(1, len(grid.columns)), BUDGET // max(1, len(grid.tiles))))
    spots = [
        (x - 0.5 + (part + 0.5) / per, y, y * len(grid.columns) + x)
        for y in range(len(grid.rows))
        for x in range(len(grid.columns))
        for part in range(per)
    ]
    return go.Scatter(
        x=[x for x, _, _ in spots],
        y=[y for _, y, _ in spots],
        mode="markers",
        name="cells",
        marker={"symbol": "square", "size": MARKER, "color": INVISIBLE, "line": {"width": 0}},
        customdata=[place for _, _, place in spots],
        hovertext=[hover(grid.tiles[place], zone) for _, _, place in spots],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        selected={"marker": {"color": faded(look.accent, 0.25)}},
        unselected={"marker": {"color": INVISIBLE}},
    )


def heatmap(grid: Grid, metric: Metric, look: Theme, *, zone: str, row_title: str, column_title: str) -> go.Figure:
    """Return the figure of a grid. The last trace holds the transparent markers that take clicks; their ``customdata``
    is the tile's place in ``grid.tiles``."""
    if len(grid.tiles) > BUDGET:
        raise ValueError(f"a heatmap that answers to clicks holds at most {BUDGET} cells")
    ruler = scale(grid, metric)
    names = [safe(column, "figure", limit=18) for column in grid.columns]
    labels = [safe(row, "figure", limit=12) for row in grid.rows]
    text, totals = len(grid.tiles) <= TEXT_CELLS, len(names) <= ROOMY
    layers = [
        *_values(grid, ruler, metric, look, text=text),
        _plain(grid, ruler, metric, look, text=text, totals=totals),
        _markers(grid, look, zone),
    ]
    if totals:
        names, labels = [*names, TOTAL], [*labels, TOTAL]
    xs, ys = list(range(len(names))), list(range(len(labels)))
    figure = go.Figure(data=layers, layout={"template": template(look)})
    axis = {"showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_layout(
        height=max(240, min(900, 130 + (54 if totals else 34) * len(labels))),
        xaxis=axis
        | {"tickvals": xs, "ticktext": names, "title": {"text": column_title}, "range": [-0.5, len(xs) - 0.5]},
        yaxis=axis | {"tickvals": ys, "ticktext": labels, "title": {"text": row_title}, "range": [len(ys) - 0.5, -0.5]},
        shapes=_hatching(grid, look),
        clickmode="event+select",
        hovermode="closest",
    )
    return figure


def alt(grid: Grid, metric: Metric, what: str) -> str:
    """Return the text alternative: what, how many, best and worst."""
    shown = [tile for tile in grid.tiles if _shown(tile)]
    head = (
        f"Heatmap of {METRICS[metric].lower()} by {what}, {len(grid.rows)} by {len(grid.columns)} cells, "
        f"{count(grid.total.impressions)} impressions, {count(grid.total.clicks)} clicks"
    )
    if not shown:
        return f"{head}; no cell carries enough clicks to be shown."
    top = max(shown, key=lambda tile: tile.rate.value or 0.0)
    low = min(shown, key=lambda tile: tile.rate.value or 0.0)
    return (
        f"{head}. Highest click rate {percent(top.rate.value)} at {top.row}, {top.column}; lowest "
        f"{percent(low.rate.value)} at {low.row}, {low.column}; {len(grid.tiles) - len(shown)} cells masked."
    )


def rows(grid: Grid) -> list[dict[str, object]]:
    """Return the numbers of a grid as rows, totals last; what is masked stays masked."""

    def numbers(tile: Tile) -> dict[str, object]:
        private = tile.mask == "private"
        rated = _shown(tile)
        return {
            "row": tile.row,
            "column": tile.column,
            "n": None if private else tile.impressions,
            "clicks": None if private else tile.clicks,
            "click_rate": tile.rate.value if rated else None,
            "low": tile.rate.low if rated else None,
            "high": tile.rate.high if rated else None,
            "lift": tile.lift if rated else None,
            "shown_as": {"ok": "shown", "low": "low confidence", "few": "n too small", "none": "nothing shown"}.get(
                tile.mask, f"fewer than {PRIVATE_USERS} people"
            ),
        }

    return [numbers(tile) for tile in (*grid.tiles, *grid.row_totals, *grid.column_totals, grid.total)]
