"""Somebody was quicker: what a form began from, what stands now and what was filled in; whose is taken."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import drafts, merging
from dashboard.context import Context
from dashboard.merging import MINE, THEIRS, Start
from dashboard.text import ago, plain, safe
from dashboard.widgets import note, said, table
from governance.diff import ThreeWay

WORDS: Mapping[str, str] = {THEIRS: "theirs", MINE: "mine"}


def overtaken(context: Context, start: Start, view: Mapping[str, Any] | None, noun: str, mine: Any) -> bool:
    """Tell whether what stands is no longer what the form began from; then draw the three sides and what can be done.

    ``view`` is what the control API shows of the document now: itself under ``noun``, its ``etag``, ``updated_at``.
    """
    if view is None or start.stands is None or view["etag"] == start.etag:
        return False
    now = view[noun]
    since = f" {ago(view['updated_at'], context.now)}" if view.get("updated_at") else ""
    said(
        "warn",
        f"Somebody else changed this {noun}{since}, after you had begun. Nothing of yours was sent, and nothing is "
        "lost: say whose each field shall be.",
    )
    filled = mine if isinstance(mine, Mapping) else dict(start.stands)
    rows = merging.sides(start.stands, now, filled)
    _table(rows, noun, start.prefix)
    taken = {row.path: _whose(row, start.key) for row in rows if row.moved and row.now != row.wanted}
    with st.container(horizontal=True):
        if st.button("Go on with these", key=f"merge {start.key}", icon=":material/merge:", type="primary"):
            merging.go_on(start, now, view["etag"], merging.merged(now, filled, rows, taken))
        if st.button("All of mine", key=f"mine {start.key}", icon=":material/person:"):
            everything = dict.fromkeys((row.path for row in rows), MINE)
            merging.go_on(start, now, view["etag"], merging.merged(now, filled, rows, everything))
        if st.button("All of theirs", key=f"theirs {start.key}", icon=":material/undo:"):
            drafts.discard(context, start.key)
            st.session_state["turn"] = st.session_state.get("turn", 0) + 1
            st.rerun()
    note("The form goes on from what stands now; it is sent by Save or Propose, as before.")
    return True


def _table(rows: tuple[ThreeWay, ...], noun: str, key: str) -> None:
    table(
        [
            {
                "field": plain(row.path, 60),
                "it was": _text(row.found),
                "it is now": _text(row.now),
                "you want": _text(row.wanted),
                "": "both changed it" if row.clash else "they changed it" if row.moved else "only you changed it",
            }
            for row in rows
        ],
        key=f"{key}-sides",
        alt=f"Fields of the {noun}: what it was when you began, what it is now, and what you want",
    )


def _text(value: Any) -> str:
    return "–" if value in (None, [], {}) else plain(value, 120)


def _whose(row: ThreeWay, key: str) -> str:
    chosen = st.segmented_control(
        safe(row.path),
        [THEIRS, MINE],
        default=merging.first(row),
        required=True,
        format_func=WORDS.__getitem__,
        key=f"whose {key} {row.path}",
        help="Whose value goes into the form.",
    )
    return chosen or merging.first(row)
