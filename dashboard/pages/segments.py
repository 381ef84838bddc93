"""Segments: what kinds of people there are, how many, who clicks more or less, and what is foretold of them."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import forecasts, segments
from dashboard.queries import audience
from dashboard.widgets import note, panel
from storage.records.access import Scope


def page(context: Context) -> None:
    """Draw the page."""
    exact = context.me.may(Scope.CONSENT_READ)
    state = read(context, audience.state, exact=exact)
    with panel("", help="", key="head"):
        segments.head(context, state)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Segments now",
            help="Counted from the events once a minute, by the rules that serving uses. One person may be in "
            "several; the fainter a bar, the less sure its members.",
            key="now",
        ),
    ):
        segments.now(context, state)
    with (
        right,
        panel(
            "What they mean",
            help="Confidence is the probability that the rule holds of a person, given how much is known of them.",
            key="meanings",
        ),
    ):
        segments.meanings(state)
    left, right = st.columns(2)
    with left, panel("Size over time", help="The last census of each hour.", key="history"):
        found = read(context, audience.sizes, start=context.span.start, end=context.span.end, exact=exact)
        segments.history(context, state, found)
    with right, panel("Cohorts", help="People by when they were first seen (UTC).", key="cohorts"):
        segments.cohorts(context, state)
    with panel(
        "Who clicks more, who less",
        help="Click rate of a segment beside everyone else's; people are the unit, so that one eager person does not "
        "make a difference. A difference is not an effect of the segment.",
        key="clicks",
    ):
        segments.clicks(state)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Foretold of people",
            help="Each model is judged on time that it was not fitted on, beside the best one-line rule; where it is "
            "not better, this says so.",
            key="proofs",
        ),
    ):
        forecasts.proofs(state)
    with right, panel("One person", help="Each look-up stands in the ledger.", key="person"):
        if context.me.may(Scope.DECISION_READ):
            forecasts.person(context)
        else:
            note("Looking up a person needs the permission decision:read; the sums on this page are for everyone.")
    with panel("Segments of your own", help="Written here, kept in the settings, recorded in the ledger.", key="own"):
        segments.own(context, state)
