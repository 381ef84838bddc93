"""A policy on its way out: where it is, the next step, and the way back."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries.overview import Liveness
from dashboard.text import ago, plain, safe
from dashboard.widgets import empty, note, state, verdict
from storage.records.access import Scope

LADDER = (1, 5, 10, 25, 50, 100)
OPEN = ("draft", "in_review", "approved")


def back(context: Context, policy: Mapping[str, Any]) -> None:
    """Offer the way back: always there, one step."""
    target = "the stable version" if policy["rollout"] else f"v{policy['previous']}" if policy["previous"] else ""
    if not target:
        st.button(
            "Back", icon=":material/undo:", disabled=True, key="back-none", help="There is no earlier version to go to."
        )
        return
    command(
        context,
        f"Back to {target}" if not policy["rollout"] else f"Back to v{policy['stable']}",
        path=f"/policies/{policy['key']}/rollback",
        key="back",
        scope=Scope.POLICY_APPLY,
        icon=":material/undo:",
        what=f"Everyone gets {target} again, on every replica, within a second. No approval is needed.",
    )


def head(context: Context, policy: Mapping[str, Any], alive: Liveness) -> None:
    """Draw what is served to whom, and on how many replicas."""
    out = policy["rollout"]
    stable = f"v{policy['stable']}" if policy["stable"] else "the default experience"
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("pass" if alive.n and alive.live == alive.n else "warn" if alive.n else "unknown")
        served = (
            f"v{out['version']} to {float(out['percent']):g} %, {stable} to the rest"
            if out
            else f"{stable} to everyone"
        )
        st.markdown(f"Surface {safe(policy['surface'])} serves **{served}**; {alive.sentence}.")
    if out:
        st.progress(
            min(1.0, float(out["percent"]) / 100),
            text=f"v{out['version']} since {ago(out['started_at'] or None, context.now)}",
        )


def steps(context: Context, policy: Mapping[str, Any]) -> None:
    """Offer the next step of the ladder, to apply or to propose."""
    numbers = [one["version"] for one in policy["versions"] if one["version"] != policy["stable"]]
    if not numbers:
        empty("Every version is already stable.", "Draft a new one.")
        return
    out = policy["rollout"] or {}
    chosen = st.selectbox(
        "Roll out",
        sorted(numbers, reverse=True),
        index=sorted(numbers, reverse=True).index(out["version"]) if out.get("version") in numbers else 0,
        format_func="v{}".format,
        key="rollout-version",
        width=140,
        help="The version that more people shall get.",
    )
    now = float(out.get("percent", 0.0)) if out.get("version") == chosen else 0.0
    ahead = next((one for one in LADDER if one > now), 100)
    share = st.select_slider(
        "To",
        LADDER,
        value=ahead,
        key=f"rollout-percent-{chosen}-{now:g}",
        format_func="{} %".format,
        help="Steps of the ladder; the next one is chosen until you choose another.",
    )
    body = {"version": chosen, "percent": share}
    key = str(policy["key"])
    with st.container(horizontal=True):
        command(
            context,
            f"Apply {share} %",
            path=f"/policies/{key}/rollout",
            key="rollout",
            scope=Scope.POLICY_APPLY,
            body=body,
            etag=policy["etag"],
            icon=":material/trending_up:",
            confirm=key,
            what=f"v{chosen} goes from {now:g} % to {share} % of subjects. The first step of a version, steps over "
            "10 points and those past 50 % need an approved change, unless one person runs everything.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key="propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "policy.rollout", "key": key, "payload": body},
            icon=":material/edit_note:",
            what=f"Drafts a change: v{chosen} to {share} %. Someone else approves it.",
        )


def wanted(change: Mapping[str, Any]) -> str:
    r"""Return what a change would do, in words where it has words.

    >>> wanted({"kind": "policy.rollout", "payload": {"version": 2, "percent": 100, "steps": []}})
    'v2 to 100 % of subjects'
    """
    asked = change["payload"]
    if change["kind"] == "policy.rollout" and isinstance(asked, Mapping) and {"version", "percent"} <= asked.keys():
        whom = f"of a segment: {safe(plain(asked['segment'], 200))}" if asked.get("segment") else "of subjects"
        return f"v{safe(asked['version'])} to {float(asked['percent']):g} % {whom}"
    return safe(plain(asked, 400), limit=400)


def changes(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw the open changes of a policy and what may be done with them."""
    found = [
        one
        for one in context.control.get("/changes", object_key=policy["key"])["changes"]
        if one["state"] in OPEN or context.now - one["updated_at"] < 86_400_000_000
    ]
    if not found:
        empty("No change is open.", "Propose one on the left.")
        return
    for one in found[:6]:
        with st.container(border=True, key=f"change-{one['change_id']}"):
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
            with st.container(horizontal=True):
                for label, verb, scope, states in (
                    ("Submit", "submit", Scope.POLICY_PROPOSE, ("draft",)),
                    ("Approve", "approve", Scope.POLICY_APPROVE, ("in_review",)),
                    ("Reject", "reject", Scope.POLICY_APPROVE, ("in_review",)),
                    ("Apply", "apply", Scope.POLICY_APPLY, ("approved",)),
                ):
                    if one["state"] in states:
                        command(
                            context,
                            label,
                            path=f"/changes/{one['change_id']}/{verb}",
                            key=f"{verb}-{one['change_id']}",
                            scope=scope,
                            what=f"{label} this change.",
                            confirm=str(policy["key"]) if verb == "apply" else None,
                        )
