"""The alert bell: how many alerts wait for somebody, and the way to them."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.queries.alerts import awaiting
from governance.alerts.kinds import SEEN_WITH
from storage.errors import FairleadError
from storage.records.clock import MINUTE

HELP = "Alerts that fire and that nobody has acknowledged or silenced, of those that you may see."


def mine(context: Context) -> tuple[str, ...]:
    """Return whose alerts the reader sees."""
    return tuple(audience for audience, scope in SEEN_WITH.items() if context.me.may(scope))


def bell(context: Context) -> None:
    """Draw the bell; where the database is away the page says so elsewhere."""
    try:
        count = read(context, awaiting, minute=context.now // MINUTE, audiences=mine(context))
    except FairleadError:
        return
    icon = ":material/notifications_active:" if count else ":material/notifications:"
    told = f"{count} alert{'' if count == 1 else 's'}" if count else "No alert"
    target = context.links.get("alerts")
    if target is not None:
        st.page_link(target, label=f":red[{told}]" if count else told, icon=icon, help=HELP, width="content")
    else:
        st.badge(told, icon=icon, color="red" if count else "gray", help=HELP)
