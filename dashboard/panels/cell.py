"""What stands behind one cell: its figures, what went in, and a sample of its decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.panels.decisions import summaries
from dashboard.panels.heatmap import Asked, Heatmap
from dashboard.queries.grids import PRIVATE_USERS, Tile
from dashboard.queries.heatmaps import origins
from dashboard.text import count, digits, interval, percent, safe, stamp
from dashboard.widgets import empty, note
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
    """Draw the drawer of a clicked cell."""
    st.markdown(f"## {safe(tile.row)} · {safe(tile.column)}")
    if tile.mask == "private":
        empty(f"Fewer than {PRIVATE_USERS} people, or a cell beside such a one.", "Choose a coarser grid.")
        return
    rows = [
        ("Click rate", percent(tile.rate.value), f"95 % {interval(tile.rate.low, tile.rate.high)} %"),
        ("Impressions", count(tile.impressions), f"{percent(tile.share)} of all"),
        ("Clicks", count(tile.clicks), f"{digits(tile.expected, 2)} expected at the mean"),
        ("Conversions", count(tile.conversions), f"last event {stamp(tile.last_at, seconds=False)} UTC"),
    ]
    for place, (name, value, more) in zip(st.columns(len(rows)), rows, strict=True):
        place.metric(name, value, delta=more, delta_color="off", delta_arrow="off", help=f"{name} of this cell alone.")
    if not context.me.may(Scope.DECISION_READ):
        note("The decisions behind a cell need the permission decision:read.")
        return
    _sample(context, filters(what, asked, tile), origins(asked.rows), tile.last_at + 1)


def _sample(context: Context, queries: Sequence[Mapping[str, Any]], kept: tuple[str, ...] | None, end: int) -> None:
    found: list[Mapping[str, Any]] = []
    for query in queries:
        if len(found) >= SAMPLE:
            break
        answer = context.control.get(
            "/decisions",
            start=max(context.span.start, end - LONGEST_US),
            end=end,
            zone=context.span.zone,
            origin=kept[0] if kept and len(kept) == 1 else None,
            limit=SAMPLE,
            **query,
        )
        found += [one for one in answer["decisions"] if kept is None or one.get("origin") in kept]
    if not found:
        empty("No decision of this cell is in the lake.", "Decisions are collected every few seconds; try again.")
        return
    note(f"A sample of {len(found[:SAMPLE])} decisions of this cell; the id opens the decision:")
    summaries(found[:SAMPLE], key="cell-decisions", alt="A sample of decisions of the chosen cell")
