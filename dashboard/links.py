"""Links between pages that keep range, zone and filters."""

import streamlit as st

from dashboard.context import Context

KEPT = ("range", "tz", "from", "to", "campaign", "rows")


def go(context: Context, key: str, label: str, **query: str) -> None:
    """Link to a page and carry the filters over; nothing where the reader has no such page."""
    target = context.links.get(key)
    if target is None:
        return
    carried = {name: st.query_params[name] for name in KEPT if name in st.query_params}
    st.page_link(target, label=label, icon=":material/arrow_forward:", query_params=carried | query)
