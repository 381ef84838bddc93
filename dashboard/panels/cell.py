"""What stands behind one cell: its figures, its days, what was shown, what coincides, and a sample of its decisions."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import lines
from dashboard.links import go
from dashboard.panels import coincidences
from dashboard.panels.decisions import summaries
from dashboard.panels.heatmap import Asked, Heatmap
from dashboard.queries import cell_trend, overview
from dashboard.queries.cell_trend import Day, Kind
from dashboard.queries.coincidences import Happening, active
from dashboard.queries.grids import PRIVATE_USERS, Tile
from dashboard.queries.heatmaps import origins
from dashboard.queries.marks import Mark, apart
from dashboard.text import count, digits, interval, percent, plain, safe, stamp
from dashboard.widgets import chart, empty, note, table
from storage.records.access import Scope
from storage.records.clock import DAY

SAMPLE = 20
MOST_QUERIES = 6
LONGEST_US = 399 * DAY
"""The control API samples at most 400 days."""


def filters(what: Heatmap, asked: Asked, tile: Tile) -> list[dict[str, Any]]:
    """Return the queries of the control API that find a tile's decisions: one for each of its busiest members."""
    queries: list[dict[str, Any]] = []
    for a, b in tile.members[:MOST_QUERIES]:
        query: dict[str, Any] = {"campaign": asked.campaign}
        if what.key == "hours":
            query |= {"weekday": int(a), "hour": int(b)}
        elif what.key == "items":
            query |= {"position": int(a), "item": b}
        else:
            attribute, _, value = a.partition("=")
            query |= {"attribute": attribute, "value": value, "campaign": b}
        queries.append(query)
    return queries


def draw(context: Context, what: Heatmap, asked: Asked, tile: Tile) -> None:
    """Draw the drawer of a chosen cell."""
    st.markdown(f"## {safe(tile.row)} · {safe(tile.column)}")
    if tile.mask == "private":
        empty(f"Fewer than {PRIVATE_USERS} people, or a cell beside such a one.", "Choose a coarser grid.")
        return
    if tile.mask == "none":
        empty("Nothing was shown here.", "Choose another cell, or a longer range.")
        return
    _figures(tile)
    kind = cast(Kind, what.key)
    found = read(
        context,
        cell_trend.days,
        kind=kind,
        tile=tile,
        campaign=asked.campaign,
        span=context.span,
        rows=asked.rows,
    )
    day = _day(what, found)
    if day is None:
        return
    near = coincidences.draw(context, day.ranges, key=f"cell-{what.key}", what=f"{day.name} in this cell")
    left, right = st.columns(2)
    with left:
        _trend(context, what, tile, found, near)
    with right:
        _shown(context, kind, tile, asked, day)
    if not context.me.may(Scope.DECISION_READ):
        note("The decisions behind a cell need the permission decision:read.")
        return
    _sample(context, what, asked, tile, day)


def _figures(tile: Tile) -> None:
    rows = [
        ("Click rate", percent(tile.rate.value), f"95 % {interval(tile.rate.low, tile.rate.high)} %"),
        ("Impressions", count(tile.impressions), f"{percent(tile.share)} of all"),
        ("Clicks", count(tile.clicks), f"{digits(tile.expected, 2)} expected at the mean"),
        ("Conversions", count(tile.conversions), f"last event {stamp(tile.last_at, seconds=False)} UTC"),
    ]
    for place, (name, value, more) in zip(st.columns(len(rows)), rows, strict=True):
        place.metric(name, value, delta=more, delta_color="off", delta_arrow="off", help=f"{name} of this cell alone.")


def _day(what: Heatmap, found: Sequence[Day]) -> Day | None:
    """Offer the days of the cell; the one farthest from its own mean comes first to mind."""
    if not found:
        empty("The days of this cell are not known.", "Choose a longer range.")
        return None
    names = [day.name for day in found]
    chosen = st.selectbox(
        "Day of this cell",
        names,
        index=cell_trend.unusual(found) or 0,
        key=f"day_{what.key}",
        width=260,
        help="The day that is looked into: what coincides with it, what was shown, and its decisions. At first the day "
        "farthest from this cell's own mean.",
    )
    return found[names.index(chosen)] if chosen in names else found[-1]


def _trend(context: Context, what: Heatmap, tile: Tile, found: Sequence[Day], near: Sequence[Happening]) -> None:
    st.markdown("**Its days**")
    if len(found) < 2:
        note("It was shown on one day only; there is no trend yet.")
        return
    points = [(day.start, None if day.clicks.value is None else 100 * day.clicks.value) for day in found]
    told = tuple(f"{interval(day.clicks.low, day.clicks.high)}, n {count(day.clicks.n)}" for day in found)
    mean = 100 * (tile.rate.value or 0.0)
    known = sorted((Mark(at=one.at, text=one.text, revision=one.revision) for one in near), key=lambda mark: mark.at)
    marks = apart(known, max(1, (found[-1].start - found[0].start) // 12))[-4:]
    chart(
        lines.lines(
            {"click rate": points},
            context.look,
            zone=context.span.zone,
            unit="%",
            limit=(mean, "mean of this cell"),
            marks=marks,
            hover={"click rate": told},
        ),
        key=f"cell-trend-{what.key}",
        alt=lines.alt({"click rate": points}, "Click rate of this cell by day", "%"),
        rows=lambda: [
            {
                "day": day.name,
                "n": day.clicks.n,
                "clicks": day.clicks.hits,
                "click_rate": day.clicks.value,
                "low": day.clicks.low,
                "high": day.clicks.high,
            }
            for day in found
        ],
        marks=marks,
    )


def _shown(context: Context, kind: Kind, tile: Tile, asked: Asked, day: Day) -> None:
    st.markdown(f"**Served on {day.name}**")
    known = {line.key: line.campaign for line in read(context, overview.campaign_lines, span=context.span)}
    campaign = known.get(tile.column if kind == "segments" else asked.campaign or "")
    surfaces = campaign.surfaces if campaign else ()
    served = read(context, active, start=day.start, end=day.ranges[-1][1], surfaces=surfaces)
    note(f":material/policy: {safe('; '.join(served), limit=300)}" if served else "No policy is known of that day.")
    items = read(
        context,
        cell_trend.top_items,
        kind=kind,
        tile=tile,
        campaign=asked.campaign,
        span=context.span,
        rows=asked.rows,
        within=day.ranges,
    )
    if not items:
        note("Items are not counted by segment; the decisions below name them.")
        return
    table(
        [
            {
                "item": plain(one.item, 60),
                "n": one.clicks.n,
                "click rate": percent(one.clicks.value),
                "95 %": interval(one.clicks.low, one.clicks.high),
            }
            for one in items
        ],
        key=f"cell-items-{kind}",
        alt="The items shown most in this cell on the chosen day, with click rate and interval",
    )


def _sample(context: Context, what: Heatmap, asked: Asked, tile: Tile, day: Day) -> None:
    kept = origins(asked.rows)
    end = day.ranges[-1][1]
    found: list[Mapping[str, Any]] = []
    for query in filters(what, asked, tile):
        if len(found) >= SAMPLE:
            break
        answer = context.control.get(
            "/decisions",
            start=max(day.start, end - LONGEST_US),
            end=end,
            zone=context.span.zone,
            origin=kept[0] if kept and len(kept) == 1 else None,
            limit=SAMPLE,
            **query,
        )
        found += [one for one in answer["decisions"] if kept is None or one.get("origin") in kept]
    if not found:
        empty(
            "No decision of this cell and day is in the lake.",
            "Decisions are collected every few seconds, and deleted after their retention.",
        )
        return
    note(f"A sample of {len(found[:SAMPLE])} decisions of this cell on that day; the id opens the decision:")
    summaries(found[:SAMPLE], key=f"cell-decisions-{what.key}", alt="A sample of decisions of the chosen cell")
    go(context, "explorer", "Decision explorer")
