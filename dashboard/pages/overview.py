"""Overview: the landing page."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import landing
from dashboard.queries import overview
from dashboard.widgets import empty, panel, simulated

STEPS = """1. **Data**: `fairlead import open-bandit` brings real impressions, or send events to `/v1/events`
2. **First policy**: draft a version on the Policies page, or `fairlead policy`
3. **First approval**: someone else approves and rolls it out
4. **First audit**: start one on the Fairness page"""


def page(context: Context) -> None:
    """Draw the page."""
    with panel("", help="", key="cards"):
        landing.cards(context)
    with panel(
        "Campaigns",
        help="Click rate: clicks per reported impression of real rows, with Wilson's 95 % interval; simulated rows "
        "stand apart. By scorer: of our decisions those that the policy's own scorer served, a model or a list of "
        "popular items, not a fallback, a rule or the default. Most impressions first.",
        key="campaigns",
    ):
        found = read(context, overview.campaign_lines, span=context.span)
        if not any(line.decisions or line.clicks.n or line.simulated.n for line in found):
            empty("Nothing has been shown in this range.", "Four steps to the first picture:")
            st.markdown(STEPS)
        else:
            landing.campaigns(context, found)
            go(context, "heatmaps", "When, where and by whom are they clicked?")
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Impressions over time",
            help="Reported impressions per step, by where the rows come from. Source: cells of 15 minutes.",
            key="impressions",
        ),
    ):
        sums = read(context, overview.over_time, span=context.span)
        if not sums:
            empty("No impression in this range.", "Choose a longer one.")
        else:
            landing.history(context, sums)
            simulated(tuple(sums))
    with (
        right,
        panel(
            "Checks and replicas",
            help="The newest audit of each kind, and which engines decide with the newest revision.",
            key="checks",
        ),
    ):
        landing.checks(context)
