"""What stands behind one cell: its figures, what went in, and a sample of its decisions."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.panels.heatmap import Asked, Heatmap
from dashboard.queries.grids import PRIVATE_USERS, Tile
from dashboard.queries.heatmaps import origins
from dashboard.text import count, digits, interval, percent, safe, stamp
from dashboard.widgets import empty, table
from storage.records.access import Scope

SAMPLE = 20


def filters(what: Heatmap, asked: Asked, tile: Tile) -> dict[str, Any]:
    """Return the query of the control API that finds a tile's decisions."""
    chosen = origins(asked.rows)
    query: dict[str, Any] = {"campaign": asked.campaign, "origin": list(chosen) if chosen else None}
    first = sorted({a for a, _ in tile.members})
    second = sorted({b for _, b in tile.members})
    if what.key == "hours":
        query |= {"weekday": [int(a) for a in first], "hour": [int(b) for b in second]}
    elif what.key == "items":
        query |= {"position": [int(a) for a in first], "item": second}
    else:
        attribute, _, value = first[0].partition("=") if len(first) == 1 else ("", "", "")
        query |= {"attribute": attribute or None, "value": value or None, "campaign": second[0] if second else None}
    return query


def draw(context: Context, what: Heatmap, asked: Asked, tile: Tile) -> None:
    """Draw the drawer of a clicked cell."""
    st.markdown(f"###### {safe(tile.row)} · {safe(tile.column)}")
    if tile.mask == "private":
        empty(f"Fewer than {PRIVATE_USERS} people, or a cell beside such a one.", "Choose a coarser grid.")
        return
    rows = [
        ("Click rate", percent(tile.rate.value), f"95 % {interval(tile.rate.low, tile.rate.high)} %"),
        ("Impressions", count(tile.impressions), f"{percent(tile.share)} of all"),
        ("Clicks", count(tile.clicks), f"{digits(tile.expected, 2)} expected at the mean"),
        ("Conversions", count(tile.conversions), f"last event {stamp(tile.last_at, seconds=False)} UTC"),
    ]
    for place, (name, value, note) in zip(st.columns(len(rows)), rows, strict=True):
        place.metric(name, value, delta=note, delta_color="off", delta_arrow="off", help=f"{name} of this cell alone.")
    if not context.me.may(Scope.DECISION_READ):
        st.caption("The decisions behind a cell need the permission decision:read.")
        return
    _sample(context, filters(what, asked, tile))


def _sample(context: Context, query: Mapping[str, Any]) -> None:
    answer = context.control.get(
        "/decisions",
        start=context.span.start,
        end=context.span.end,
        zone=context.span.zone,
        limit=SAMPLE,
        **query,
    )
    found = answer["decisions"]
    if not found:
        empty("No decision of this cell is in the lake.", "Decisions are collected every few seconds; try again.")
        return
    st.caption(f"A sample of {len(found)} decisions of this cell:")
    table(
        [
            {
                "decision": f"/explorer?decision={one['decision_id']}",
                "at": stamp(one["at"]),
                **{name: one.get(name) for name in ("campaign", "served_by", "reason", "policy", "version", "origin")},
            }
            for one in found
        ],
        key="cell-decisions",
        alt="A sample of decisions of the chosen cell",
        columns={"decision": st.column_config.LinkColumn("decision", display_text=r"decision=([0-9a-zA-Z_\-]+)")},
    )
