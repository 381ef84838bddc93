"""Panels of people's requests: what waits and until when, a form to take one in, and one request to its receipt."""

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
import streamlit as st

from dashboard.commands import SHORTEST_REASON, command, send, turn
from dashboard.context import Context
from dashboard.text import count, plain, safe, stamp
from dashboard.widgets import empty, note, said, table
from storage.records.access import Scope

CORRECTION = "a correction (rectification)"
ASKED: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "a copy of everything (access)": ("/subjects/requests", {"kind": "access"}, "approved"),
    "their data to take along (portability)": ("/subjects/requests", {"kind": "portability"}, "approved"),
    "to be erased": ("/subjects/requests", {"kind": "erasure"}, "approved"),
    "no more direct marketing (objection)": ("/subjects/objection", {}, "at once"),
    "to be left alone for now (restriction)": ("/subjects/restriction", {}, "at once"),
    "the restriction to end": ("/subjects/restriction/lift", {}, "at once"),
    "a look by a human (review)": ("/subjects/requests", {"kind": "review"}, "answered"),
    CORRECTION: ("/subjects/rectification", {}, "at once"),
}
"""What a person may ask for: where it goes, what it carries, and how it is carried out."""
HOW = {
    "approved": "Two other people approve, a quarter of an hour passes, then it is carried out.",
    "answered": "Somebody looks at it, and writes what the person reads on their own page.",
    "at once": "Done at once, on every replica, with a signed receipt.",
}
URGENT_DAYS = 7


def urgent(request: Mapping[str, Any]) -> bool:
    """Tell whether a request is late, or will be within a week.

    >>> urgent({"days_left": -1}), urgent({"days_left": 12}), urgent({"days_left": None})
    (True, False, False)
    """
    days = request["days_left"]
    return days is not None and days < URGENT_DAYS


def left(request: Mapping[str, Any]) -> str:
    """Say how long there is.

    >>> left({"overdue": False, "days_left": 12}), left({"overdue": True, "days_left": -3})
    ('12 days', '3 days late')
    """
    days = request["days_left"]
    if days is None:
        return "–"
    return f"{count(-days)} days late" if request["overdue"] else f"{count(days)} days"


def waiting(context: Context) -> None:
    """Draw what waits, the most urgent first, and one request whole."""
    found: Sequence[Mapping[str, Any]] = context.control.get("/subjects/requests")["requests"]
    if not found:
        empty("Nobody has asked for anything yet.", "Take a request in beside, or with `fairlead subject`.")
        return
    pending = [one for one in found if one["days_left"] is not None]
    late = sum(bool(one["overdue"]) for one in pending)
    open_ = f"{count(len(pending))} open, {count(late)} past the deadline" if pending else "All are answered"
    worst = "warn" if any(urgent(one) for one in pending) else "pass"
    said(worst, f"{open_}. The law gives one month, two more where the person is told why.")
    table(
        [
            {
                "request": one["request_id"][-12:],
                "what": one["kind"],
                "state": one["state"],
                "time left": left(one),
                "due (UTC)": stamp(one["due_at"], seconds=False),
                "received (UTC)": stamp(one["received_at"], seconds=False),
                "taken in by": one["actor"],
            }
            for one in found
        ],
        key="requests-table",
        alt="Requests of people with their deadline, the most urgent first",
    )
    known = {one["request_id"]: one for one in found}
    chosen = st.selectbox(
        "Request",
        [None, *known],
        format_func=lambda one: "–" if one is None else f"{known[one]['kind']} …{one[-12:]} ({known[one]['state']})",
        key="request",
        width=360,
        help="How far it has come, who approved, and its receipt.",
    )
    if chosen is not None:
        _whole(context, context.control.get(f"/subjects/requests/{chosen}"))


def _whole(context: Context, request: Mapping[str, Any]) -> None:
    """Draw one request: what is next, what was done, the proof."""
    request_id, change = request["request_id"], request["change"]
    path = f"/subjects/requests/{request_id}"
    if request["extension"]:
        note(f"Extended: {safe(request['extension'], limit=300)}")
    if request["kind"] == "review":
        _words(request["progress"])
    if request["state"] == "open":
        if request["kind"] != "review":
            _next(context, request, change)
        with st.container(horizontal=True):
            if request["kind"] == "review":
                command(
                    context,
                    "Answer",
                    path=f"{path}/answer",
                    key=f"answer-{request_id}",
                    scope=Scope.CONSENT_WRITE,
                    primary=True,
                    what="What you write here is what the person reads on their own page.",
                )
            command(
                context,
                "Take two months longer",
                path=f"{path}/extend",
                key=f"extend-{request_id}",
                scope=Scope.CONSENT_WRITE,
                what="Once, within the first month. The person must be told the reason that you give.",
            )
            command(
                context,
                "Refuse",
                path=f"{path}/refuse",
                key=f"refuse-{request_id}",
                scope=Scope.CONSENT_WRITE,
                what="The reason is what the person is told; they may complain to an authority.",
            )
    if request["state"] == "running":
        note(_progress(request["progress"]))
    if request["state"] in {"done", "refused"}:
        _proof(context, request, path)


def _words(progress: Mapping[str, Any]) -> None:
    """Show what a person wants to be looked at, and what they were told."""
    said_, decision = progress.get("said"), progress.get("decision_id")
    note(f"They say: {safe(said_, limit=1_000)}" if said_ else "They wrote no words.")
    if decision:
        note(f"About the decision {safe(decision)}; the page Decision explorer shows it.")
    if progress.get("answer"):
        note(f"They were told: {safe(progress['answer'], limit=1_000)}")


def _next(context: Context, request: Mapping[str, Any], change: Mapping[str, Any] | None) -> None:
    if change is None:
        empty("No change carries this request out.", "Refuse it, and take it in again.")
        return
    missing = max(change["needs"] - len(change["approvals"]), 0)
    by = ", ".join(safe(name) for name in change["approvals"]) or "nobody yet"
    note(f"Change {safe(change['change_id'][-12:])} is {safe(change['state'])}; approved by {by}, {missing} missing.")
    whom = f"/changes/{change['change_id']}"
    with st.container(horizontal=True):
        if change["state"] == "in_review":
            command(
                context,
                "Approve",
                path=f"{whom}/approve",
                key=f"approve-{change['change_id']}",
                scope=Scope.SUBJECT_ERASE,
                what="Two people who did not take the request in must agree.",
            )
        if change["state"] == "approved":
            note(f"May be carried out from {stamp(change['ready_at'], seconds=False)} UTC on.")
            command(
                context,
                "Carry out",
                path=f"{whom}/apply",
                key=f"apply-{change['change_id']}",
                scope=Scope.SUBJECT_ERASE,
                confirm=request["request_id"],
                primary=True,
                what="An erasure cannot be undone. It takes a few minutes, until everything was searched twice.",
            )


def _progress(progress: Mapping[str, Any]) -> str:
    """Say how far an erasure or export has come."""
    passes = progress.get("passes", ())
    if progress.get("search", {}).get("found"):
        places = ", ".join(safe(name) for name in progress["search"]["found"])
        return f":material/warning: Something is left in {places}. It is tried again every half minute."
    if not passes:
        return "Replicas forget the person; then the lake is rewritten."
    rows = sum(int(one["rows"]) for one in passes)
    return f"{count(rows)} rows left the lake; a minute later everything is searched once more."


def _proof(context: Context, request: Mapping[str, Any], path: str) -> None:
    """Offer the receipt and, where there is one, the export."""

    def receipt() -> bytes:
        return orjson.dumps(context.control.get(f"{path}/receipt"), option=orjson.OPT_INDENT_2)

    with st.container(horizontal=True):
        st.download_button(
            "Signed receipt",
            data=receipt,
            file_name=f"{request['kind']}-{request['request_id']}.json",
            mime="application/json",
            icon=":material/verified:",
            key=f"receipt-{request['request_id']}",
            on_click="ignore",
        )
        if request["kind"] in {"access", "portability"} and request["state"] == "done":
            st.download_button(
                "Export (JSON and CSV)",
                data=partial(context.control.download, f"{path}/export"),
                file_name=f"{request['request_id']}.zip",
                mime="application/zip",
                icon=":material/download:",
                key=f"export-{request['request_id']}",
                disabled=not context.me.may(Scope.SUBJECT_ERASE),
                on_click="ignore",
                help="Personal data: hand it to the person alone. Each download stands in the ledger.",
            )
    told = request["progress"].get("models") or ()
    if told:
        note("These models may have learned from the person's rows; their next training leaves them out.")
        table(
            [
                {
                    "model": one["name"],
                    "version": one["version"],
                    "learned": one["learned"],
                    "trained next (UTC)": plain(one["trained_next"] or "on demand"),
                }
                for one in told
            ],
            key="models-table",
            alt="Models that may have learned from the erased person, and when each is trained next",
        )


def form(context: Context) -> None:
    """Take a request in."""
    key = turn("take-in")
    what = st.selectbox(
        "They ask for", list(ASKED), key=f"{key}-what", help="What a person may ask for under GDPR 15 to 21."
    )
    path, body, how = ASKED[what]
    note(HOW[how])
    with st.form(key, border=False):
        subject = st.text_input(
            "Subject", key=f"{key}-subject", help="The id as your application sends it. It is not kept."
        )
        reason = st.text_input(
            "Reason",
            key=f"{key}-reason",
            help="At least 10 characters; it stands in the ledger for good, so name nobody.",
        )
        name = value = ""
        if what == CORRECTION:
            name = st.text_input(
                "Statement", key=f"{key}-name", help="A stated attribute (size), or an interest (colour=red)."
            )
            value = st.text_input("Becomes", key=f"{key}-value", help="Left empty, the statement is taken back.")
        given = st.form_submit_button("Take in", icon=":material/inbox:")
    if not given:
        return
    if not subject or len(reason.strip()) < SHORTEST_REASON:
        st.warning("Give the subject and a reason of at least 10 characters.", icon=":material/edit:")
        return
    more = correction(name, value) if what == CORRECTION else body
    send(context, path, {**more, "subject": subject, "reason": reason.strip()}, key=key)


def correction(name: str, value: str) -> dict[str, Any]:
    """Return what is to be corrected: a number where it reads as one, nothing where it is empty.

    >>> correction("size", "M"), correction("colour=red", "-0.5"), correction("age", "")
    ({'attributes': {'size': 'M'}}, {'interests': {'colour=red': -0.5}}, {'attributes': {'age': None}})
    """
    told: Any = value.strip() or None
    with contextlib.suppress(orjson.JSONDecodeError, TypeError):
        told = orjson.loads(told)
    return {"interests" if "=" in name else "attributes": {name.strip(): told}}
