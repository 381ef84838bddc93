"""Checks: what the patrol finds wrong, what it cannot tell, and how long that has been so."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import checks, vitals
from dashboard.queries import checks as queries
from dashboard.widgets import guard, panel


def page(context: Context) -> None:
    """Draw the page; all but the command refreshes itself as one fragment."""
    checks.look_now(context)
    st.fragment(_page, run_every=context.refresh_s)(vitals.moving(context))


def _page(now: vitals.Moving) -> None:
    with guard("checks"):
        _panels(now())


def _panels(context: Context) -> None:
    found = read(context, queries.lines, start=context.span.start, end=context.span.end)
    with panel("", help="", key="cards"):
        checks.cards(context, found)
    with panel("What deserves attention", help="Harm first, then what wants a look, in words.", key="attention"):
        checks.attention(context, found)
    with panel(
        "Over time",
        help="One strip per check: its colour and pattern are its verdict. A gap is time in which it did not look.",
        key="strips",
    ):
        checks.timeline(context, found)
    with panel(
        "Every check",
        help="Its question, its last word, since when it says so, and how often it looks. One that cannot look says "
        "so and silences no other.",
        key="checks",
    ):
        checks.listed(context, found)
