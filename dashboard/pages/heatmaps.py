"""Campaign heatmaps: when, where and what, who."""

from typing import cast

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import campaign_strip, cell, heatmap, suggestions
from dashboard.queries import heatmaps, overview
from dashboard.widgets import panel
from storage.records.access import Scope

ROWS: dict[str, str] = {"real": "Real rows", "simulated": "Simulated rows", "all": "All rows"}
METRIC_NAMES = {
    "lift": "Lift",
    "rate": "Click rate",
    "impressions": "Impressions",
    "width": "Interval width",
    "shrunk": "Rate, drawn in",
    "person": "Clicks per person",
    "complete": "Completeness",
}
EVERY = ""


def page(context: Context) -> None:
    """Draw the page."""
    lines = {line.key: line for line in read(context, overview.campaign_lines, span=context.span)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        campaign = st.selectbox(
            "Campaign",
            [EVERY, *(key for key in lines if key)],
            format_func=lambda key: lines[key].key if key else "Every campaign",
            key="campaign",
            bind="query-params",
            persist_state="session",
            width=200,
            help="One campaign, or all of them together.",
        )
        rows = st.selectbox(
            "Rows",
            list(ROWS),
            format_func=ROWS.__getitem__,
            key="rows",
            bind="query-params",
            persist_state="session",
            width=160,
            help="Real: imported and live impressions. Simulated: clicks of a model fitted to the log.",
        )
        metric = st.selectbox(
            "Colour",
            [name for name in METRIC_NAMES if name != "complete" or context.me.may(Scope.METRICS_READ)],
            format_func=METRIC_NAMES.__getitem__,
            key="metric",
            bind="query-params",
            persist_state="session",
            width=150,
            help="What colour means. Lift: click rate over the campaign's mean (of a position: over the position's). "
            "Rate, drawn in: drawn towards the mean as far as it is uncertain. Clicks per person: traffic set aside. "
            "Completeness (for who may read metrics): by hour, the lesser of the time in which engines were observed "
            "and the decisions whose impressions came.",
        )
    asked = heatmap.Asked(campaign=campaign or None, rows=cast(heatmaps.Rows, rows or "real"), metric=metric or "lift")
    with panel("", help="", key="strip"):
        campaign_strip.draw(context, lines.get(campaign) if campaign else None, asked)
    with panel(
        "What to try",
        help="At most three cells whose click rate differs from the campaign's mean, or from that of their position, "
        "beyond chance: exact tests over all cells shown, 5 % false discoveries. A suggestion drafts a change; it "
        "serves nothing. Source: cells rebuilt from the journal.",
        key="suggestions",
    ):
        suggestions.draw(context, asked)
    for one in heatmap.PANELS:
        with panel(one.title, help=one.help, key=one.key):
            tile = heatmap.draw(context, one, asked)
            if tile is not None:
                cell.draw(context, one, asked, tile)
