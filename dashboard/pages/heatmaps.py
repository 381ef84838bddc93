"""Campaign heatmaps: when, where and what, who."""

from typing import cast

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import cell, heatmap
from dashboard.queries import heatmaps, overview
from dashboard.text import count, interval, percent, safe
from dashboard.widgets import empty, note, panel, simulated, state
from storage.records.access import Scope

ROWS: dict[str, str] = {"real": "Real rows", "simulated": "Simulated rows", "all": "All rows"}
METRIC_NAMES = {
    "auto": "Best fitting",
    "rate": "Click rate",
    "lift": "Lift",
    "impressions": "Impressions",
    "width": "Interval",
}
EVERY = ""


def page(context: Context) -> None:
    """Draw the page."""
    lines = {line.key: line for line in read(context, overview.campaign_lines, span=context.span)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        campaign = st.selectbox(
            "Campaign",
            [EVERY, *lines],
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
            list(METRIC_NAMES),
            format_func=METRIC_NAMES.__getitem__,
            key="metric",
            bind="query-params",
            persist_state="session",
            width=150,
            help="What colour means. Best fitting: lift where a third of the cells expect 20 clicks, else click rate.",
        )
    asked = heatmap.Asked(campaign=campaign or None, rows=cast(heatmaps.Rows, rows or "real"), metric=metric or "auto")
    _strip(context, lines.get(campaign or ""), asked)
    for one in heatmap.PANELS:
        with panel(one.title, help=one.help, key=one.key):
            tile = heatmap.draw(context, one, asked)
            if tile is not None:
                cell.draw(context, one, asked, tile)


def _strip(context: Context, line: overview.CampaignLine | None, asked: heatmap.Asked) -> None:
    """Draw whether it runs, and how much stands behind the pictures."""
    with panel("", help="", key="strip"):
        sums = read(context, overview.by_origin, span=context.span)
        if not sums and line is None:
            empty(
                "No impression in this range.",
                "Choose All data as range, import the sample data with `fairlead import open-bandit`, or send events.",
            )
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            if line is not None and line.campaign is not None:
                state(line.campaign.status)
                st.markdown(f"**{safe(line.campaign.name)}**", width="content")
            for name, found in (("real", line.clicks), ("simulated", line.simulated)) if line else ():
                if found.n:
                    note(
                        f"{name}: {count(found.n)} impressions, {count(found.hits)} clicks, "
                        f"{percent(found.value)} ({interval(found.low, found.high)})",
                        width="content",
                    )
            if line is None:
                for origin, held in sums.items():
                    note(
                        f"{safe(origin)}: {count(held.impressions)} impressions, {count(held.clicks)} clicks",
                        width="content",
                    )
        if asked.rows != "real":
            simulated(tuple(sums))
        if not context.me.may(Scope.DECISION_READ):
            note("Your role sees cells, not the decisions behind them.")
