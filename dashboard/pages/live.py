"""Live: what the engine does now."""

import streamlit as st

from dashboard.context import Context
from dashboard.panels import vitals
from dashboard.panels.board import PULSE, ROWS, Block
from dashboard.widgets import filled, frame


def page(context: Context) -> None:
    """Draw the page. One clock refreshes all panels; a choice within a panel draws that panel only."""
    st.fragment(_page, run_every=context.refresh_s)(vitals.moving(context))


def _page(now: vitals.Moving) -> None:
    context = now()
    _alone(PULSE, context)
    if context.me.role == "marketer" and not st.toggle(
        "Show all panels",
        key="all_panels",
        bind="query-params",
        help="The row above tells whether it works; the rest is for who looks after the engines.",
    ):
        return
    for row in ROWS:
        for place, block in zip(st.columns(len(row)), row, strict=True):
            with place:
                _alone(block, context)


def _alone(block: Block, context: Context) -> None:
    with frame(block.key):
        st.fragment(_drawn)(block, context)


def _drawn(block: Block, context: Context) -> None:
    with filled(block.title, help=block.help, key=block.key):
        block.draw(context)
