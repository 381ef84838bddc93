"""Experiments: health first, then what is shown, and what to do about it."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, experiments, sizing
from dashboard.queries.experiments import readouts
from dashboard.text import ago
from dashboard.widgets import empty, note, panel

NOTHING = "Chance has drawn nothing between two arms yet, so nothing can be compared."


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, readouts)
    with panel(
        "Experiments",
        help="Whatever chance divides: the holdout of a campaign, the arms of a rule, the versions of a rollout, the "
        "slots that exploration fills, and the policies of an imported log. Source: the lake, read out hourly over "
        "28 days. A result is shown after 7 days and 150 clicks in the smallest arm.",
        key="list",
    ):
        audits.start(context, "experiments", "Counts every arm anew over the last 28 days.", label="Read out now")
        if found.at is None:
            empty("Experiments have not been read out yet.", "Control does so every hour once anything was shown.")
        elif not found.experiments:
            empty(NOTHING, "Give a campaign a holdout, a rule arms, or roll a policy out in steps.")
        else:
            note(f"As of {ago(found.at, context.now)}.")
            experiments.listed(found.experiments)
    chosen = experiments.choose(found.experiments) if found.experiments else None
    if chosen is not None:
        with panel(
            "Is it healthy?",
            help="Looked at before any result. Sample ratio: the arms must have the shares of people that were set; an "
            "always-valid multinomial test, red at p < 0.001 and 0.1 percentage points off, doubtful below 0.01. "
            "Crossed: people who were seen in more than one arm.",
            key="health",
        ):
            experiments.health(chosen)
        left, right = st.columns([3, 2])
        with (
            left,
            panel(
                "What came of it",
                help="Clicks per impression with 95 % intervals that know that one person's impressions are alike; the "
                "lift is the relative difference to the reference arm, with Fieller's interval, held against each "
                "other within days and places. Which difference stands is told among all experiments "
                "(Benjamini and Hochberg, 5 %).",
                key="results",
            ),
        ):
            experiments.results(context, chosen)
        with (
            right,
            panel("Exposures a day", help="Decisions or slots in each arm by day UTC.", key="exposures"),
        ):
            experiments.exposures(context, chosen)
    with panel(
        "How much is enough?",
        help="Impressions that each of two arms needs to find a relative change of a click rate at the 5 % level "
        "(two-sided); impressions are taken as independent.",
        key="sizing",
    ):
        sizing.calculator(context)
