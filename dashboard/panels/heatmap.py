"""One heatmap with its answer in words, its doubts and its grid; returns the cell that was clicked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import heatmap as figures
from dashboard.figures import tiles
from dashboard.figures.tiles import Metric
from dashboard.queries import heatmaps, overview
from dashboard.queries.grids import SUPPORTED_SHARE, Grid, Tile
from dashboard.queries.heatmaps import Rows
from dashboard.text import count, digits, interval, percent, safe
from dashboard.widgets import chart, empty, note, simulated
from storage.records.access import Scope

MANY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the filters of the page ask for."""

    campaign: str | None
    rows: Rows
    metric: Metric | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """One of the three heatmaps: how it is read, and what its axes are called."""

    key: str
    title: str
    help: str
    row_title: str
    column_title: str
    note: str
    fetch: Callable[[Context, Asked, str], Grid | None]


def _hours(context: Context, asked: Asked, level: str) -> Grid:
    return read(context, heatmaps.by_hour, campaign=asked.campaign, span=context.span, rows=asked.rows, level=level)


def _items(context: Context, asked: Asked, level: str) -> Grid:
    return read(
        context, heatmaps.by_position_item, campaign=asked.campaign, span=context.span, rows=asked.rows, level=level
    )


def _segments(context: Context, asked: Asked, level: str) -> Grid | None:
    names = read(context, heatmaps.attributes, span=context.span, rows=asked.rows)
    if not context.me.may(Scope.FAIRNESS_READ):
        current = read(context, overview.snapshot)
        surfaces = current.installation.surfaces.values() if current else ()
        hidden = {name for one in surfaces for name, held in one.context.items() if held.sensitive}
        names = tuple(name for name in names if name not in hidden)
    if not names:
        return None
    chosen = st.selectbox(
        "Attribute",
        names,
        key="segment",
        bind="query-params",
        width=220,
        help="Segments of one attribute at a time: those of another hold the same people. "
        "Sensitive attributes need the permission fairness:read.",
    )
    return read(
        context, heatmaps.by_segment, attribute=chosen or names[0], span=context.span, rows=asked.rows, level=level
    )


PANELS = (
    Heatmap(
        key="hours",
        title="When: hour by weekday",
        help="Clicks per impression by local hour and weekday. Unit: percent, with Wilson's 95 % interval. "
        "Source: cells rebuilt from the journal.",
        row_title="",
        column_title="hour of day",
        note="",
        fetch=_hours,
    ),
    Heatmap(
        key="items",
        title="Where and what: position by item",
        help="Clicks per impression by position on the page (1 is the top) and item; lift compares with the mean of "
        "the position. Items with about equal impressions are put together until clicks suffice.",
        row_title="position",
        column_title="items, most shown first",
        note="Lower positions get fewer looks: compare within a row.",
        fetch=_items,
    ),
    Heatmap(
        key="segments",
        title="Who: segment by campaign",
        help="Clicks per impression by a declared attribute of the audience and campaign.",
        row_title="",
        column_title="campaign",
        note="",
        fetch=_segments,
    ),
)


def metric_of(grid: Grid, asked: Asked) -> Metric:
    """Return the metric to draw: lift only where a third of the cells expect twenty clicks."""
    if asked.metric != "auto":
        return cast(Metric, asked.metric)
    strong = sum(tile.mask == "ok" for tile in grid.tiles) >= SUPPORTED_SHARE * len(grid.tiles)
    return "lift" if strong and len(grid.tiles) > 2 else "rate" if grid.supported else "impressions"


def answer(grid: Grid) -> str:
    """Return the answer in words, escaped for Markdown."""
    found = heatmaps.best(grid)
    if found is None:
        return f"Too few clicks to say: {count(grid.total.clicks)} of {count(grid.total.impressions)} impressions."
    tile = found.tile
    where = " · ".join(safe(part) for part in (tile.row, tile.column))
    numbers = f"{percent(tile.rate.value)} ({interval(tile.rate.low, tile.rate.high)})"
    if found.sure:
        return f"**{where}** is best: {numbers}, {digits(tile.lift or 1.0, 2)} times the mean."
    return f"**{where}** is best so far: {numbers}, too few clicks to be sure."


def doubts(grid: Grid) -> str:
    """Return what the grid leaves out and what a finer one needs."""
    hatched = sum(tile.mask == "low" for tile in grid.tiles)
    masked = sum(tile.mask == "few" for tile in grid.tiles)
    private = sum(tile.mask == "private" for tile in grid.tiles)
    parts = [f"Grid: {grid.level}"]
    if grid.finer and grid.needed:
        parts.append(f"{grid.finer} needs about {count(grid.needed)} more clicks")
    if hatched:
        parts.append(f"hatched: 10 to 20 clicks expected ({hatched})")
    if masked:
        parts.append(f"grey: under 10 clicks expected, count of impressions shown ({masked})")
    if private:
        parts.append(f"hidden: under 50 people ({private})")
    return " · ".join(parts)


def draw(context: Context, what: Heatmap, asked: Asked) -> Tile | None:
    """Draw one heatmap; return the tile that was clicked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        fine = st.toggle(
            "Finest grid", key=f"fine_{what.key}", bind="query-params", help="Every cell, even where clicks are few."
        )
        grid = what.fetch(context, asked, "finest" if fine else "")
    if grid is None or not grid.tiles or not grid.total.impressions:
        empty("Nothing was shown in this range with these filters.", "Choose All data as range, or All rows.")
        return None
    if not grid.total.clicks and grid.total.impressions > MANY:
        empty(
            f"{count(grid.total.impressions)} impressions and not one click.",
            "Click events are probably missing: see event intake on the System page.",
        )
    metric = metric_of(grid, asked)
    st.markdown(answer(grid))
    if what.note:
        note(f":material/info: {what.note}")
    event = chart(
        figures.heatmap(
            grid, metric, context.look, zone=context.span.zone, row_title=what.row_title, column_title=what.column_title
        ),
        key=f"map-{what.key}",
        alt=tiles.alt(grid, metric, what.title),
        rows=lambda: tiles.rows(grid),
        on_select=True,
    )
    note(doubts(grid))
    simulated(grid.origins)
    return _clicked(grid, event)


def _clicked(grid: Grid, event: Any) -> Tile | None:
    points = event.selection.points if event else ()
    place = points[0].get("customdata") if points else None
    found = place[0] if isinstance(place, list) else place
    return grid.tiles[int(found)] if found is not None and 0 <= int(found) < len(grid.tiles) else None
