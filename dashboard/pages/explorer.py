"""Decision explorer: why someone saw this."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.panels import decisions
from dashboard.text import plain
from dashboard.widgets import empty, panel


def page(context: Context) -> None:
    """Draw the page."""
    answer: Mapping[str, Any] | None = None
    with panel("", help="", key="ask"):
        wanted = st.text_input(
            "Decision id",
            key="decision",
            bind="query-params",
            placeholder="0190f3c2-…",
            help="Every answer of the engine carries one.",
        )
        asked = plain(wanted or "", 80)
        if not asked:
            empty("Paste a decision id, or choose one below.", "The newest decisions of the range:")
            decisions.newest(context)
            return
        answer = context.control.get(f"/decisions/{asked}")
        decisions.head(answer["decision"], str(answer.get("from", "")))
    if answer is None:
        return
    left, right = st.columns(2)
    with (
        left,
        panel(
            "What was shown",
            help="Slots best first: the item, its score, how likely it was to be shown there, and why.",
            key="slots",
        ),
    ):
        decisions.slots(answer["decision"])
    with (
        right,
        panel("Time by stage", help="Microseconds the engine spent on each stage of this decision.", key="stages"),
    ):
        decisions.stages(context, answer["decision"])
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Why", help="Exact contributions of features to the score of the first item; they add up to it.", key="why"
        ),
    ):
        decisions.explanation(context, asked)
    with (
        right,
        panel(
            "Replay",
            help="The decision computed again from its record alone: exact, equivalent, mismatch, "
            "erased or unavailable.",
            key="replay",
        ),
    ):
        decisions.replay(context, asked)
    with panel(
        "With another version",
        help="This decision as if another version of its policy had served everyone, by the engine's own functions. "
        "Exact where all that it asks was recorded; refused, with the reason, where what it was made from is not kept.",
        key="anew",
    ):
        decisions.anew(context, asked, answer["decision"])
    with (
        panel("The whole record", help="As it stands in the log; the subject is a pseudonym.", key="record"),
        st.expander("Show", icon=":material/data_object:"),
    ):
        st.json(answer["decision"], expanded=1)
