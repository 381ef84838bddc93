"""Rules: which serve, which get in each other's way, what each does, and the form that writes them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, rule_form, rules
from dashboard.queries import findings
from dashboard.text import safe
from dashboard.widgets import choose, empty, note, panel


def page(context: Context) -> None:
    """Draw the page."""
    view: Mapping[str, Any] | None = None
    with panel(
        "Rules",
        help="In the order in which they apply: higher priority first, then by key. Exclusions go first, then lifts, "
        "then pins.",
        key="list",
    ):
        found = context.control.get("/rules")["rules"]
        if found:
            rules.listed(found)
        else:
            empty("No rule of the installation is written yet.", "The form below writes the first.")
        view = choose("rule", found)
        if view is not None:
            rules.steps(context, view)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Write a rule" if view is None else f"Edit {safe(view['rule']['key'])}",
            help="Nothing is written before a command is given; what the rule would meet is told while it is written.",
            key="form",
        ),
    ):
        rule_form.author(context, view)
    with (
        right,
        panel(
            "Who gets in whose way",
            help="Rules in service that may hold at once and want different things, with the one that goes first.",
            key="conflicts",
        ),
    ):
        met = context.control.get("/rules/conflicts")["conflicts"]
        if not met:
            empty("No rule gets in another's way.", "What a new rule would meet is told while it is written.")
        for one in met:
            st.markdown(f":orange[:material/change_history:] {safe(one['sentence'], limit=400)}")
    with panel(
        "What rules do",
        help="Click rate where a rule applied, with 95 % intervals by people; against an arm that is off where there "
        "is one. Too few data is a verdict of its own.",
        key="effects",
    ):
        judged = read(context, findings.audits, kind="rules", limit=1)
        audits.start(
            context, "rules", "Counts what each rule did, by arm, over the last seven days.", label="Judge now"
        )
        if judged:
            rules.advice(judged[0], context)
            rules.performance(judged[0], context, view["rule"]["key"] if view else None)
        else:
            note("Control judges every hour once a rule is on.")
