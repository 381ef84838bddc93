"""The ledger as a page shows it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard.context import Context
from dashboard.text import count, plain, safe, stamp
from dashboard.widgets import empty, note, table, verdict
from storage.spreadsheets import csv

PAGE = 100
FILTERS = {"actor": "Actor", "action": "Action", "object_kind": "Kind of object", "object_key": "Object"}
EXPORTED = frozenset({*FILTERS, "result", "start", "end"})
RESULTS = ("any", "applied", "denied", "failed")


def chain(context: Context) -> None:
    """Offer to verify the chain, and say how it stands."""
    if st.button("Verify now", icon=":material/verified:", key="verify"):
        st.session_state["verified"] = (context.control.get("/ledger/verify"), context.now)
    with st.popover("Check it yourself", icon=":material/key:", type="tertiary"):
        note("An evidence bundle holds verify.py, which needs nothing but this public key of the installation:")
        st.code(context.control.download("/ledger/key").decode(), language=None, wrap_lines=True)
        note("`fairlead ledger verify --offline FILE --key public.pem` does the same.")
    known = st.session_state.get("verified")
    if known is None:
        note("Not verified in this session.")
        return
    found, at = known
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("pass" if found["ok"] else "fail")
        if found["ok"]:
            anchored = found.get("anchored_to")
            held = f"; anchored outside up to {count(anchored)}" if anchored else "; no anchor yet"
            st.markdown(f"{count(found['entries'])} entries verified at {stamp(at)} UTC{held}.")
        else:
            st.markdown(
                f"**The chain is broken at entry {count(found.get('first_bad'))}**: "
                + safe(found.get("reason"), limit=300)
            )


def listed(context: Context, *, own: bool) -> None:
    """Draw entries, newest first, filtered by the server."""
    query: dict[str, Any] = {"limit": PAGE}
    if not own:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name, label in FILTERS.items():
                chosen = st.text_input(label, key=f"ledger_{name}", bind="query-params", width=170, help="Exact match.")
                query[name] = chosen or None
            result = st.selectbox(
                "Result", RESULTS, key="ledger_result", bind="query-params", width=120, help="How it ended."
            )
            query["result"] = None if result == "any" else result
        query |= {"start": context.span.start, "end": context.span.end} if context.span.key != "all" else {}
    pages = st.session_state.setdefault("ledger pages", [None])
    query["before_seq"] = pages[-1]
    answer = context.control.get("/ledger/own" if own else "/ledger", **query)
    found = answer["entries"]
    if not found:
        empty("No entry fits.", "Widen the range or the filters.")
    else:
        rows = [row(one) for one in found]
        table(rows, key="ledger-table", alt="Ledger entries, newest first")
        st.download_button(
            "CSV",
            data=csv(rows),
            file_name="ledger.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            key="ledger-csv",
            on_click="ignore",
        )
        if not own:
            asked = urlencode({name: value for name, value in query.items() if value is not None and name in EXPORTED})
            archive(context, "Evidence bundle", f"/ledger/export?{asked}", "ledger")
        chosen = st.selectbox(
            "Entry",
            [None, *[one["seq"] for one in found]],
            format_func=lambda seq: "–" if seq is None else f"#{seq}",
            key="entry",
            width=140,
            help="Before and after of one entry.",
        )
        for one in found:
            if one["seq"] == chosen:
                detail(one)
                if not own:
                    archive(context, "Proof of this entry", f"/ledger/{one['seq']}/proof", f"ledger-{one['seq']}")
    with st.container(horizontal=True):
        if len(pages) > 1 and st.button("Newer", icon=":material/arrow_back:", key="newer"):
            pages.pop()
            st.rerun()
        if answer.get("next_before_seq") and st.button("Older", icon=":material/arrow_forward:", key="older"):
            pages.append(answer["next_before_seq"])
            st.rerun()


def archive(context: Context, label: str, path: str, name: str) -> None:
    """Offer a bundle that others can check; it is made, and entered in the ledger, when it is asked for."""
    st.download_button(
        label,
        data=lambda: context.control.download(path),
        file_name=f"{name}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        type="tertiary",
        key=f"{name}-zip",
        on_click="ignore",
        help="A ZIP that anyone checks with the public key alone. That you took it is an entry of the ledger.",
    )


def row(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return one entry as the table shows it."""
    return {
        "seq": one["seq"],
        "at (UTC)": stamp(one["at"]),
        "actor": one["actor"],
        "action": one["action"],
        "object": f"{one['object_kind']} {one['object_key']}",
        "result": one["result"],
        "reason": one["reason"],
        "four eyes": "yes" if one["four_eyes"] else "no, solo",
        "revision": one["revision"],
    }


def changed(before: Any, after: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield what differs between two plain documents, field by field.

    >>> list(changed({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2}))
    [{'field': 'a.b', 'before': '1', 'after': '3'}]
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from changed(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
    elif before != after:
        yield {"field": path or "all of it", "before": plain(before, 300), "after": plain(after, 300)}


def detail(one: Mapping[str, Any]) -> None:
    """Draw what changed, before, after and hashes of one entry."""
    if one["before"] is not None and one["after"] is not None:
        rows = list(changed(one["before"], one["after"]))
        if rows:
            table(rows, key=f"entry-{one['seq']}-changed", alt="Fields that this entry changed, before and after")
    before, after = st.columns(2)
    with before:
        note("Before")
        st.json(one["before"] if one["before"] is not None else {}, expanded=2)
    with after:
        note("After")
        st.json(one["after"] if one["after"] is not None else {}, expanded=2)
    st.code(f"previous {plain(one['previous'])}\nhash     {plain(one['hash'])}", language=None, wrap_lines=True)
