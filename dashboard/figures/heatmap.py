"""Heatmaps: colour for the value, text for value and count, hatching for doubt, and markers that can be clicked."""

from collections.abc import Callable

import plotly.graph_objects as go

from dashboard.figures.tiles import METRICS, ROOMY, TEXT_CELLS, Metric, Scale, hover, scale, told
from dashboard.queries.grids import BUDGET, TOTAL, Grid, Tile
from dashboard.text import safe
from dashboard.theme import INVISIBLE, Theme, faded, legible, shade, template

MARKER = 40
HATCHED = {"low": 0.35, "few": 0.5, "private": 0.5}
"""Whose tiles are in doubt, and how strong the strokes over them are."""


def _hatching(grid: Grid, look: Theme) -> list[dict[str, object]]:
    """Diagonal strokes over doubtful tiles, as one path for each strength: doubt must not hang on colour alone."""
    strokes: dict[float, list[str]] = {}
    for y, row in enumerate(grid.rows):
        for x, column in enumerate(grid.columns):
            tile = grid.at(row, column)
            if tile.mask in HATCHED:
                strokes.setdefault(HATCHED[tile.mask], []).extend(
                    f"M{x + max(-0.48, at - 0.5):.2f},{y + max(-0.46, -at - 0.5):.2f}"
                    f"L{x + min(0.48, at + 0.5):.2f},{y + min(0.46, 0.5 - at):.2f}"
                    for at in (-0.6, -0.2, 0.2, 0.6)
                )
    over = {"type": "path", "layer": "above", "xref": "x", "yref": "y"}
    return [
        {"path": "".join(parts), "line": {"color": faded(look.muted, strength), "width": 1}, **over}
        for strength, parts in strokes.items()
    ]


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
    layers: list[go.Heatmap] = []
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


def _total_markers(grid: Grid, zone: str) -> go.Scatter:
    """Transparent squares over the totals, which tell their interval and take no click."""
    spots = [
        *((len(grid.columns), y, tile) for y, tile in enumerate(grid.row_totals)),
        *((x, len(grid.rows), tile) for x, tile in enumerate(grid.column_totals)),
        (len(grid.columns), len(grid.rows), grid.total),
    ]
    return go.Scatter(
        x=[x for x, _, _ in spots],
        y=[y for _, y, _ in spots],
        mode="markers",
        name="totals",
        marker={"symbol": "square", "size": MARKER, "color": INVISIBLE, "line": {"width": 0}},
        hovertext=[hover(tile, zone) for _, _, tile in spots],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        selected={"marker": {"color": INVISIBLE}},
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
    text = totals = len(grid.tiles) <= TEXT_CELLS
    layers = [
        *_values(grid, ruler, metric, look, text=text),
        _plain(grid, ruler, metric, look, text=text, totals=totals),
        *([_total_markers(grid, zone)] if totals else []),
        _markers(grid, look, zone),
    ]
    if totals:
        names, labels = [*names, TOTAL], [*labels, TOTAL]
    xs, ys = list(range(len(names))), list(range(len(labels)))
    figure = go.Figure(data=layers, layout={"template": template(look)})
    axis = {"showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_layout(
        height=max(240, min(900, 130 + (54 if len(grid.columns) <= ROOMY else 34) * len(labels))),
        xaxis=axis
        | {"tickvals": xs, "ticktext": names, "title": {"text": column_title}, "range": [-0.5, len(xs) - 0.5]},
        yaxis=axis | {"tickvals": ys, "ticktext": labels, "title": {"text": row_title}, "range": [len(ys) - 0.5, -0.5]},
        shapes=_hatching(grid, look),
        clickmode="event+select",
        hovermode="closest",
    )
    return figure
