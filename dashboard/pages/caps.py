"""Caps: how often one person may see a thing, what that holds back, and what fair exposure costs."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import cap_form, cap_spread, caps
from dashboard.queries import caps as queries
from dashboard.text import safe
from dashboard.widgets import empty, panel


def page(context: Context) -> None:
    """Draw the page."""
    view: Mapping[str, Any] | None = None
    every: list[Mapping[str, Any]] = []
    with panel(
        "Frequency caps",
        help="Impressions of one person: of who agreed to be known, else of the session. A slot counts as soon as it "
        "is decided, for two minutes, until its impression is reported. Where several caps hold, the strictest wins.",
        key="list",
    ):
        found = context.control.get("/caps")
        every = [*found["caps"], *found["elsewhere"]]
        if every:
            caps.listed(every, read(context, queries.effects, span=context.span))
        else:
            empty("No cap holds: everything may be shown any number of times.", "The form below writes the first.")
    with panel(
        "What people see",
        help="How often each person who is known was shown each thing that a cap counts, in its window as it stands, "
        "and those beyond k. Of fewer than 50 people nothing is told. Source: the lake's decisions and events.",
        key="spread",
    ):
        cap_spread.drawn(context, every)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Change a cap",
            help="Stricter holds at once; to allow more, a second person must agree.",
            key="form",
        ),
    ):
        view = caps.choose(found["caps"])
        if view is not None:
            st.markdown(f"Now: {safe(view['sentence'], limit=200)}.")
        cap_form.author(context, view)
    with (
        right,
        panel(
            "What fair exposure costs",
            help="A policy may give every group of items, or every item, its share of exposure: 1 ÷ log2(1 + rank), "
            "summed over the slots. Here is what that cost, by the model's own scores.",
            key="exposure",
        ),
    ):
        caps.exposure(read(context, queries.exposures, span=context.span))
