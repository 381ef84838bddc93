"""The form of a what-if: one thing that would be otherwise, over which traffic."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.panels import audits
from dashboard.queries import findings
from dashboard.text import ago, safe
from dashboard.widgets import note, state
from storage.records.access import Scope
from storage.records.clock import DAY

Arguments = Mapping[str, Any] | None
SPANS: Mapping[str, int] = {"24 hours": 1, "3 days": 3, "7 days": 7, "30 days": 30}


def form(context: Context) -> None:
    """Draw the form, the command, and how the last job goes."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox("What would be otherwise", list(KINDS), key="otherwise", width=260, help="One thing a run.")
        arguments = KINDS[kind or next(iter(KINDS))](context)
        pair = arguments is not None and "log" in arguments
        if not pair:
            span = st.selectbox("Traffic of the last", list(SPANS), key="traffic", width=140, help="Logged decisions.")
            arguments = arguments and {**arguments, "start": context.now - SPANS[span or "24 hours"] * DAY}
    if arguments is not None:
        command(
            context,
            "Try it",
            path="/offpolicy" if pair else "/whatif",
            key="try",
            scope=Scope.POLICY_PROPOSE,
            body={"arguments": arguments},
            icon=":material/play_arrow:",
            what="Runs as a job of control and changes nothing; this page shows the answer when it is done.",
        )
    _going(context)


def _going(context: Context) -> None:
    last = max(
        (job for name in ("whatif", "offpolicy") for job in read(context, findings.recent_jobs, name=name, limit=1)),
        key=lambda job: job.created_at,
        default=None,
    )
    if last is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        state(last.state)
        note(f"last asked {ago(last.created_at, context.now)} by {safe(last.requested_by)}")
    if last.error:
        st.markdown(f":small[:red[{safe(last.error, limit=300)}]]")
    audits.follow(context, last, awaited="answer")


def _policies(context: Context) -> Mapping[str, Mapping[str, Any]]:
    return {one["key"]: one for one in context.control.get("/policies")["policies"]}


def _policy(context: Context) -> str | None:
    found = _policies(context)
    return st.selectbox("Policy", list(found), key="of-policy", width=160, help="One policy per surface.")


def _version(context: Context) -> Arguments:
    found = _policies(context)
    key = st.selectbox("Policy", list(found), key="of-policy", width=160, help="One policy per surface.")
    versions = [each["version"] for each in found[key]["versions"]] if key else []
    number = st.selectbox("Version", versions, key="of-version", width=100, help="It would serve everyone.")
    return {"policy": key, "version": number} if key and number else None


def _edit_policy(label: str, at: float, make: Callable[[float], Any], about: str) -> Callable[[Context], Arguments]:
    def ask(context: Context) -> Arguments:
        key = _policy(context)
        value = st.slider(label, 0.0, 1.0, at, key=f"to-{label}", width=260, help=about)
        return {"edits": {"policies": {key: make(value)}}} if key else None

    return ask


def _cap(context: Context) -> Arguments:
    found = {each["cap"]["key"]: each["cap"] for each in context.control.get("/caps")["caps"]}
    if not found:
        note("There is no cap of the installation; write one as JSON instead.")
        return None
    key = st.selectbox("Cap", list(found), key="of-cap", width=160, help="A cap of the installation.")
    limit = st.number_input(
        "Limit", 0, 1_000, found[key]["limit"] if key else 1, key=f"to-cap-{key}", width=110, help="Impressions."
    )
    return {"edits": {"caps": {key: {"limit": int(limit)}}}} if key else None


def _rule(context: Context) -> Arguments:
    found = [each["rule"]["key"] for each in context.control.get("/rules")["rules"]]
    if not found:
        note("There is no rule to take away.")
        return None
    key = st.selectbox("Rule", found, key="of-rule", width=200, help="It would not be there.")
    return {"edits": {"rules": {key: None}}} if key else None


def _change(context: Context) -> Arguments:
    going = [
        one for one in context.control.get("/changes")["changes"] if one["state"] in {"draft", "in_review", "approved"}
    ]
    if not going:
        note("No change is proposed.")
        return None
    words = {one["change_id"]: f"{one['kind']} {one['object_key']}, by {one['author']}" for one in going}
    chosen = st.selectbox(
        "Change", list(words), format_func=lambda each: words[each], key="of-change", width=320, help="As if applied."
    )
    return {"change": chosen} if chosen else None


def _pair(context: Context) -> Arguments:
    campaigns = [one["key"] for one in context.control.get("/campaigns")["campaigns"]]
    log = st.selectbox("Read the log of", ["bts", "random"], key="of-log", width=140, help="An imported policy.")
    target = st.selectbox(
        "To judge", ["uniform", "random", "bts"], key="of-target", width=140, help="uniform: any item alike."
    )
    campaign = st.selectbox("Campaign", campaigns, key="of-campaign", width=140, help="Items differ by campaign.")
    if log == target:
        note("A policy needs no estimate from its own log.")
        return None
    return {"log": log, "target": target, "campaign": campaign}


def _json(_context: Context) -> Arguments:
    text = st.text_area(
        "Edits by section and key",
        '{"policies": {"home": {"filters": {}}}}',
        key="of-json",
        help="Sections: policies, rules, caps, campaigns, models. A value replaces, null removes (RFC 7396).",
    )
    try:
        edits = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        edits = None
    if not isinstance(edits, dict):
        note("Write one JSON object.")
        return None
    return {"edits": edits}


KINDS: Mapping[str, Callable[[Context], Arguments]] = {
    "A version of a policy for everyone": _version,
    "The limit of a cap": _cap,
    "A rule taken away": _rule,
    "The confidence threshold": _edit_policy(
        "Threshold", 0.6, lambda value: {"confidence": {"threshold": value}}, "Below it the fallback serves."
    ),
    "The share of exploration": _edit_policy(
        "Exploration", 0.05, lambda value: {"exploration": {"epsilon": value}}, "Per slot, in total."
    ),
    "A proposed change": _change,
    "Anything, as JSON": _json,
    "An imported policy, by another's log": _pair,
}
"""What may be tried, and how it is asked for."""
