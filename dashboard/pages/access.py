"""Access: people and services, their tokens, and roles."""

import streamlit as st

from dashboard.context import Context
from dashboard.panels import changes, roles, tokens
from dashboard.widgets import panel


def page(context: Context) -> None:
    """Draw the page."""
    tokens.fresh()
    left, right = st.columns([3, 2])
    with (
        left,
        panel("People", help="Who holds tokens that are alive, by the name in the ledger.", key="people"),
    ):
        tokens.people(context, context.control.get("/tokens")["tokens"])
    with (
        right,
        panel(
            "A new token",
            help="A token carries no more than its role, and no more than who makes it. Only its hash is kept.",
            key="new-token",
        ),
    ):
        tokens.make(context, context.control.get("/roles")["roles"])
    with panel(
        "Tokens",
        help="Newest first. The last use is known to the minute; sign-ins by link are not listed, they end with the "
        "token that they came of.",
        key="tokens",
    ):
        tokens.listed(context, context.control.get("/tokens")["tokens"])
    with panel(
        "Roles",
        help="What a token of each may at most. Built-in roles are fixed; own ones resemble one of them.",
        key="roles",
    ):
        roles.listed(context.control.get("/roles")["roles"])
    left, right = st.columns(2)
    with left, panel("A role of your own", help="A document: key, title, like, scopes.", key="role"):
        roles.author(context, context.control.get("/roles")["roles"])
    with right, panel("Proposed roles", help="A wider role is a second admin's matter.", key="role-changes"):
        changes.listed(context, kinds="role.")
