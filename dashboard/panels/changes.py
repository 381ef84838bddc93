"""Changes on the page: what each would do, what moved under it, who agreed, and the steps of its life."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.text import ago, plain, safe, stamp
from dashboard.widgets import empty, note, said, state, table
from storage.records.access import Scope
from storage.records.clock import DAY, HOUR, instant, moment

OPEN = ("draft", "in_review", "approved", "scheduled")
MOST = 6
CALL_OFF = "Nothing of it happens; it can be edited and begun again."
STEPS: Sequence[tuple[str, str, Scope, tuple[str, ...], str]] = (
    ("Submit", "submit", Scope.POLICY_PROPOSE, ("draft",), "Asks for review."),
    ("Approve", "approve", Scope.POLICY_APPROVE, ("in_review",), "You agree to it as it stands; an edit clears that."),
    ("Apply", "apply", Scope.POLICY_APPLY, ("approved",), "Does it now; engines take it up within a second."),
    ("Reject", "reject", Scope.POLICY_APPROVE, ("in_review", "approved", "scheduled"), CALL_OFF),
    ("Withdraw", "withdraw", Scope.POLICY_PROPOSE, OPEN, f"Only its author may. {CALL_OFF}"),
)


def wanted(change: Mapping[str, Any]) -> str:
    r"""Return what a change would do, in words where it has words.

    >>> wanted({"kind": "policy.rollout", "payload": {"version": 2, "percent": 100, "steps": []}})
    'v2 to 100 % of subjects'
    """
    asked = change["payload"]
    if change["kind"] == "policy.rollout" and isinstance(asked, Mapping) and {"version", "percent"} <= asked.keys():
        if asked["percent"] is None:
            return f"v{safe(asked['version'])} by steps: {safe(plain(asked.get('steps'), 100))} %"
        whom = f"of a segment: {safe(plain(asked['segment'], 200))}" if asked.get("segment") else "of subjects"
        return f"v{safe(asked['version'])} to {float(asked['percent']):g} % {whom}"
    return safe(plain(asked, 400), limit=400)


def listed(context: Context, *, key: str | None = None, kinds: str = "") -> None:
    """Draw the changes of one object, or of kinds that begin so, and what may be done with them."""
    found = [
        one
        for one in context.control.get("/changes", object_key=key)["changes"]
        if one["kind"].startswith(kinds) and (one["state"] in OPEN or context.now - one["updated_at"] < DAY)
    ]
    if not found:
        empty("No change is open.", "Propose one, and somebody else agrees to it.")
        return
    for one in found[:MOST]:
        with st.container(border=True, key=f"change-{one['change_id']}"):
            _one(context, one)
    if len(found) > MOST:
        note(f"and {len(found) - MOST} more: `fairlead change list`")


def _one(context: Context, one: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        state(one["state"])
        note(
            f"{safe(one['kind'])} · level {safe(one['level'])} · by {safe(one['author'])} "
            f"{ago(one['created_at'], context.now)} · approved by "
            f"{safe(', '.join(one['approvals']) or 'nobody yet')}"
            + (f", needs {one['needs']}" if one.get("needs") else "")
        )
    st.markdown(safe(one["reason"], limit=300))
    note(wanted(one))
    if one["state"] == "scheduled":
        by = safe(one.get("scheduled_by") or "")
        note(f":material/schedule: to be applied {stamp(one.get('apply_at'))} UTC, as {by} scheduled it")
    elif one["state"] == "approved" and (one.get("ready_at") or 0) > context.now:
        note(
            f":material/hourglass_empty: cools off until {stamp(one['ready_at'])} UTC; until then it can be called off"
        )
    with st.popover("What it would do", icon=":material/difference:", type="tertiary", key=f"diff-{one['change_id']}"):
        if st.toggle("Compare now", key=f"compare-{one['change_id']}", help="Reads what stands at this moment."):
            _difference(context.control.get(f"/changes/{one['change_id']}/diff"), one)
    with st.container(horizontal=True):
        for label, verb, scope, states, what in STEPS:
            if one["state"] in states:
                command(
                    context,
                    label,
                    path=f"/changes/{one['change_id']}/{verb}",
                    key=f"{verb}-{one['change_id']}",
                    scope=scope,
                    what=what,
                    confirm=str(one["object_key"]) if verb == "apply" else None,
                )
        if one["state"] == "approved":
            _schedule(context, one)


def _difference(told: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    """Draw what would change; where somebody was quicker, found, now and wanted side by side."""
    _rehearsed(told.get("dry_run"))
    if told["stale"]:
        said("warn", "The object changed since this was written: edit the change to start from what stands now.")
        rows = [
            {
                "field": plain(row["path"], 80),
                "found": plain(row["found"], 120),
                "now": plain(row["now"], 120),
                "wanted": plain(row["wanted"], 120),
                "": "both changed it" if row["clash"] else "changed meanwhile" if row["moved"] else "",
            }
            for row in told["moved"]
        ]
        if rows:
            table(rows, key=f"moved-{one['change_id']}", alt="What was found, what stands now, and what is wanted")
        return
    for row in (*told["fields"], *told["policy"]):
        st.markdown(f"- {safe(row['sentence'], limit=300)}")
    if not told["fields"] and not told["policy"]:
        note("Nothing of the object's own fields differs; what it does is said above.")


def _rehearsed(run: Mapping[str, Any] | None) -> None:
    """Draw what a day of logged decisions said of it."""
    if run is None:
        return
    if run.get("sentence"):
        said(str(run["verdict"]), f"Dry run over the last day: {safe(run['sentence'], limit=400)}")
    elif run["state"] == "failed":
        said("unknown", f"The dry run could not be done: {safe(run['error'] or '', limit=300)}")
    else:
        note(f":material/hourglass_empty: the dry run over the last day of decisions is {safe(run['state'])}")


def _schedule(context: Context, one: Mapping[str, Any]) -> None:
    """Offer to have it applied by itself at a time."""
    soon = moment(max(one.get("ready_at") or 0, context.now) + HOUR)
    with st.popover("Later", icon=":material/schedule:", key=f"later-{one['change_id']}"):
        day = st.date_input(
            "Day (UTC)", value=soon.date(), key=f"day-{one['change_id']}", help="At most 30 days ahead."
        )
        hour = st.time_input(
            "Time (UTC)",
            value=soon.time().replace(second=0, microsecond=0),
            key=f"time-{one['change_id']}",
            help="When it is applied, if nothing overtakes it.",
        )
        at = datetime.combine(
            day if isinstance(day, date) else soon.date(), hour if isinstance(hour, time) else soon.time(), tzinfo=UTC
        )
        command(
            context,
            "Schedule",
            path=f"/changes/{one['change_id']}/schedule",
            key=f"schedule-{one['change_id']}",
            scope=Scope.POLICY_APPLY,
            body={"at": instant(at)},
            icon=":material/schedule:",
            what=f"It is applied by itself on {at:%Y-%m-%d at %H:%M} UTC. Until then it can be called off; if the "
            "object changes before, nothing happens.",
            confirm=str(one["object_key"]),
        )
