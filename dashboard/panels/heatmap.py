"""One heatmap with its answer in words, its doubts and its grid; returns the cell that was clicked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import heatmap as figures
from dashboard.figures import tiles
from dashboard.figures.tiles import METRICS, Metric
from dashboard.links import go
from dashboard.queries import completeness, heatmaps, overview
from dashboard.queries.analysis import parquet, sql
from dashboard.queries.grids import Grid, Tile
from dashboard.queries.heatmaps import Rows
from dashboard.text import count, digits, interval, lasting, percent, plain, safe
from dashboard.weeks import first_day
from dashboard.widgets import chart, empty, note, simulated
from storage.records.access import Scope

MANY = 10_000
NARROW = 5
"""More columns are not squeezed into the width of a phone: the grid scrolls sideways there."""


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
    about: dict[str, Any] = {"campaign": asked.campaign, "span": context.span, "rows": asked.rows}
    first = first_day(st.context.locale)
    grid = read(context, heatmaps.by_hour, level=level, first_day=first, **about)
    if asked.metric != "complete":
        return grid
    return completeness.told(grid, read(context, completeness.by_hour, **about), heatmaps.places(grid, first))


def _items(context: Context, asked: Asked, level: str) -> Grid:
    return read(
        context, heatmaps.by_position_item, campaign=asked.campaign, span=context.span, rows=asked.rows, level=level
    )


def _segments(context: Context, asked: Asked, level: str) -> Grid | None:
    names = read(context, heatmaps.attributes, span=context.span, rows=asked.rows)
    current = read(context, overview.snapshot)
    surfaces = current.installation.surfaces.values() if current else ()
    sensitive = {name for one in surfaces for name, held in one.context.items() if held.sensitive}
    if not context.me.may(Scope.FAIRNESS_READ):
        names = tuple(name for name in names if name not in sensitive)
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
    if chosen in sensitive:
        st.badge("sensitive: differences belong in a fairness audit", icon=":material/balance:", color="orange")
        go(context, "fairness", "Fairness audits")
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
    """Return the metric to draw: counts of impressions where not one cell carries enough clicks for any other."""
    wanted = cast(Metric, asked.metric)
    if wanted == "complete":
        known = any(tiles.complete(tile) is not None for tile in grid.tiles)
        return wanted if known else "rate" if grid.supported else "impressions"
    if wanted == "lift" and len(grid.tiles) < 2:
        return "rate" if grid.supported else "impressions"
    return wanted if grid.supported else "impressions"


def answer(grid: Grid) -> str:
    """Return the answer in words, escaped for Markdown."""
    found = heatmaps.best(grid)
    if grid.total.mask == "private":
        return "Too few people to say anything."
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
        _nothing(context, asked)
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
    figure = figures.heatmap(
        grid, metric, context.look, zone=context.span.zone, row_title=what.row_title, column_title=what.column_title
    )
    with st.container(key=f"{'scrolled' if len(grid.columns) > NARROW else 'whole'}-{what.key}"):
        event = chart(
            figure,
            key=f"map-{what.key}",
            alt=tiles.alt(grid, metric, what.title),
            rows=lambda: tiles.rows(grid),
            on_select=True,
        )
    if metric != asked.metric:
        why = "it is known by hour only" if asked.metric == "complete" else "no cell carries enough clicks"
        note(f"{METRICS[cast(Metric, asked.metric)]} cannot be drawn: {why}.")
    note(doubts(grid))
    if what.key == "hours":
        _whole(context, asked)
    simulated(grid.origins)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = _picked(what, grid)
        _files(context, what, grid)
    return _clicked(grid, event) or picked


def _nothing(context: Context, asked: Asked) -> None:
    """Say why there is nothing: nobody asked, nobody may be shown anything, or nobody says what was seen."""
    why = read(context, heatmaps.emptiness, campaign=asked.campaign, span=context.span, rows=asked.rows)
    empty(*EMPTY[why])


EMPTY: dict[heatmaps.Emptiness, tuple[str, str]] = {
    "no traffic": (
        "No decision and no impression in this range with these filters.",
        "Choose All data as range, or All rows; if the app should be asking, see Live.",
    ),
    "nobody eligible": (
        "The app asked, but nobody who came may be profiled.",
        "Everyone got the default experience: see Consent and subjects for what was said, and what holds by default.",
    ),
    "no impressions": (
        "Decisions were made, but no impression was reported.",
        "The app has to send impression events with the decision id: see event intake on the System page.",
    ),
}


def _whole(context: Context, asked: Asked) -> None:
    """Say what is missing in the data, and where the clock was changed."""
    found = read(context, heatmaps.whole, campaign=asked.campaign, span=context.span, rows=asked.rows)
    for day, minutes in found.clock_changes:
        note(
            f":material/schedule: clocks in {safe(context.span.zone)} moved by {minutes:+d} min on {day}: an hour that "
            "came twice counts by its impressions, it is not doubled."
        )
    if found.unobserved:
        named = ", ".join(f"{name} h ({lasting(missed)})" for name, missed in found.unobserved[:4])
        note(f":material/visibility_off: engines were not observed in the last two days of this range: {named}.")
    if found.late.n:
        told = f"{percent(found.late.value)} ({interval(found.late.low, found.late.high)})"
        note(f"Late events: {told} of {count(found.late.n)}; they count in no cell.")


def _picked(what: Heatmap, grid: Grid) -> Tile | None:
    """Offer the cells without a mouse; the address keeps the choice."""
    row = st.selectbox(
        "Row",
        ["", *grid.rows],
        format_func=lambda name: plain(name, 40) or "–",
        key=f"row_{what.key}",
        bind="query-params",
        width=160,
        help="Row and column open a cell as a click on it does.",
    )
    column = st.selectbox(
        "Column",
        ["", *grid.columns],
        format_func=lambda name: plain(name, 40) or "–",
        key=f"column_{what.key}",
        bind="query-params",
        width=160,
        help="Row and column open a cell as a click on it does.",
    )
    return grid.at(row, column) if row in grid.rows and column in grid.columns else None


def _files(context: Context, what: Heatmap, grid: Grid) -> None:
    with st.popover("For analysis", icon=":material/query_stats:", type="tertiary", key=f"analysis-{what.key}"):
        st.markdown(
            "Raw rates, and rates drawn towards their mean by empirical Bayes (a beta-binomial by moments): compare "
            "those across cells. A cell's interval is for that cell alone; of many cells some lie outside by chance, "
            "which is why *What to try* holds false discoveries at 5 %."
        )
        st.download_button(
            "Parquet",
            data=lambda: parquet(tiles.rows(grid)),
            file_name=f"{what.key}.parquet",
            mime="application/vnd.apache.parquet",
            icon=":material/download:",
            key=f"parquet-{what.key}",
            on_click="ignore",
        )
        st.code(sql(what.key, context.span), language="sql", wrap_lines=True)


def _clicked(grid: Grid, event: Any) -> Tile | None:
    points = event.selection.points if event else ()
    place = points[0].get("customdata") if points else None
    found = place[0] if isinstance(place, list) else place
    return grid.tiles[int(found)] if found is not None and 0 <= int(found) < len(grid.tiles) else None
