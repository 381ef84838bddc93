"""Emergencies on the page: who applied alone, what they did, and the look that is owed."""

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.text import ago, lasting, safe
from dashboard.widgets import note, said
from storage.records.access import Scope

SHOWN = 3


def listed(context: Context) -> None:
    """Draw what waits for a look, and the way to declare one."""
    found = context.control.get("/emergencies")
    waiting = [one for one in found["emergencies"] if one["reviewed_at"] is None]
    for one in waiting:
        left = one["ends_at"] - context.now
        running = f"runs {lasting(left)} more" if left > 0 else "has ended"
        said(
            "warn",
            f"**{safe(one['principal'])}** may apply alone, {running}: {safe(one['reason'], limit=200)}. "
            f"{len(one['deeds'])} applied so far. Somebody else must look at it.",
        )
        command(
            context,
            "Close with a finding",
            path=f"/emergencies/{one['emergency_id']}/review",
            key=f"review-{one['emergency_id']}",
            scope=Scope.POLICY_APPROVE,
            icon=":material/visibility:",
            what="You looked at what was applied; the reason says what you found. It ends the emergency.",
        )
    for one in [one for one in found["emergencies"] if one["reviewed_at"] is not None][:SHOWN]:
        note(
            f"{safe(one['principal'])}, {ago(one['opened_at'], context.now)}: {len(one['deeds'])} applied; "
            f"{safe(one['reviewed_by'])} found: {safe(one['finding'], limit=200)}"
        )
    if not found["emergencies"]:
        note("None so far. It is for the hour in which nobody else can be reached.")
    with st.container(horizontal=True):
        command(
            context,
            "Declare an emergency",
            path="/emergencies",
            key="emergency",
            scope=Scope.EMERGENCY_OPEN,
            icon=":material/emergency:",
            confirm=context.environment,
            what="For 30 minutes you may apply changes that nobody approved, never what cannot be undone. All of it is "
            "marked in the ledger, and somebody else must look at it before you can declare another. "
            "Rollback, pause and the kill switch never need this.",
        )
