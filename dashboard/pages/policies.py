"""Policies: versions, differences, the way out to everyone, and back."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.panels import card, changes, emergencies, gated, rollout, versions
from dashboard.widgets import empty, panel


def page(context: Context) -> None:
    """Draw the page."""
    policy: Mapping[str, Any] | None = None
    with panel("", help="", key="head"):
        found = context.control.get("/policies")["policies"]
        if not found:
            empty("No policy is active: everyone gets the default experience.", "`fairlead policy` drafts the first.")
            return
        by_key = {one["key"]: one for one in found}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = st.selectbox(
                "Policy", list(by_key), key="policy", bind="query-params", width=220, help="One policy per surface."
            )
            policy = by_key[key or found[0]["key"]]
            rollout.back(context, policy)
        rollout.head(context, policy)
    if policy is None:
        return
    with panel(
        "Gated rollout",
        help="A version goes out by itself, step by step. Four gates are looked at every few seconds: unknown waits, "
        "harm that is shown takes it back, and green lets it go on.",
        key="gated",
    ):
        gated.panel(context, policy)
    left, right = st.columns([2, 3])
    with (
        left,
        panel(
            "Versions",
            help="Each version is one immutable document; its digest names it. Newest first.",
            key="versions",
        ),
    ):
        versions.listed(context, policy)
    with (
        right,
        panel(
            "What differs",
            help="Field by field between two versions, in plain words.",
            key="diff",
        ),
    ):
        versions.difference(context, policy)
    left, right = st.columns([2, 3])
    with (
        left,
        panel(
            "Rollout",
            help="A version goes out in steps; people only join, because the seed of a rollout stays. Broad steps "
            "need a second person.",
            key="rollout",
        ),
    ):
        rollout.steps(context, policy)
    with (
        right,
        panel(
            "Proposed changes",
            help="Draft, in review, approved, scheduled or applied. The author never approves, unless one person runs "
            "everything.",
            key="changes",
        ),
    ):
        changes.listed(context, key=str(policy["key"]))
    left, right = st.columns([2, 3])
    with (
        left,
        panel(
            "Card",
            help="What a version is for, its limits and its owner. Without it no version leaves draft; the facts are "
            "kept with it as they were.",
            key="card",
        ),
    ):
        card.written(context, policy)
    with (
        right,
        panel(
            "Emergencies",
            help="Half an hour in which one person may apply alone; somebody else looks at it afterwards.",
            key="emergencies",
        ),
    ):
        emergencies.listed(context)
