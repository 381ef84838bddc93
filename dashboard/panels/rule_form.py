"""The form of a rule: what it does, for whom, when; what it would meet is told while it is written."""

from collections.abc import Mapping
from typing import Any

import orjson
import streamlit as st

from dashboard import drafts, merging
from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.merging import Start
from dashboard.panels import conditions
from dashboard.panels.overtaken import overtaken
from dashboard.panels.rule_fields import fields
from dashboard.queries import rules as queries
from dashboard.text import safe
from dashboard.widgets import empty, note, said
from storage.records.access import Scope


def author(context: Context, view: Mapping[str, Any] | None) -> None:
    """Draw the form of a new rule, or of one that is there, with its preview and the commands."""
    stands = view["rule"] if view else None
    if not context.me.may(Scope.CAMPAIGN_WRITE):
        empty("Rules are written by those who run campaigns.", f"It needs the permission {Scope.CAMPAIGN_WRITE.value}.")
        if stands is not None:
            st.json(dict(stands))
        return
    words = read(context, queries.vocabulary)
    start = merging.started(context, "rule", view, prefix="form")
    key, old, before = start.key, start.fields, start.stands
    with drafts.kept(context, start.name, key=key, began=merging.noted(start)):
        rule = _whole(old, key) if _too_much(old) else fields(old, words, key)
    if overtaken(context, start, view, "rule", rule) or rule is None:
        return
    if not rule.get("key"):
        note("Name a key to see what this rule would meet.")
        return
    if before is not None and rule == before:
        note("This is the rule as it stands; change something to see what it would meet.")
        return
    told = context.control.post("/rules/validate", {"rule": rule})
    preview(told)
    if not told["problems"]:
        _commands(context, rule, told["level"], start)


def preview(told: Mapping[str, Any]) -> None:
    """Draw what is wrong with a rule, or what it meets."""
    for problem in told["problems"]:
        st.markdown(f":red[:material/edit:] **{safe(problem['field'])}** {safe(problem['message'], limit=300)}")
    for one in told["conflicts"]:
        st.markdown(f":orange[:material/change_history:] {safe(one['sentence'], limit=400)}")
    if not told["problems"] and not told["conflicts"]:
        said("pass", "It gets in no other rule's way.")


def _commands(
    context: Context,
    rule: Mapping[str, Any],
    level: str,
    start: Start,
) -> None:
    key, before, danger = start.key, start.stands, level == "D2"
    who = "It touches whoever comes" if danger else "It touches those whom its condition or campaign names"
    agree = "; a second person must agree, unless one person runs everything" if danger else ""
    name = str(rule["key"])
    with st.container(horizontal=True):
        command(
            context,
            "Save" if before else "Create",
            path=f"/rules/{name}" if before else "/rules",
            method="put" if before else "post",
            key=f"{key}-save",
            scope=Scope.CAMPAIGN_WRITE,
            body={"rule": dict(rule)},
            etag=start.etag or None,
            icon=":material/check:",
            confirm=name if danger else None,
            primary=True,
            what=f"{who}{agree}. Engines take it up within a second; going back is one step.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key=f"{key}-propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "rule.edit" if before else "rule.create", "key": name, "payload": {"rule": dict(rule)}},
            icon=":material/edit_note:",
            what="Drafts a change that someone else approves.",
        )


def _too_much(old: Mapping[str, Any]) -> bool:
    """Tell whether a rule says what the form has no field for."""
    arms = old.get("arms") or ()
    return (
        any(conditions.lines(old.get(name) or {}) is None for name in ("when", "items"))
        or len(arms) > 1
        or any(not arm["off"] for arm in arms)
        or old.get("starts_at") is not None
        or old.get("ends_at") is not None
    )


def _whole(old: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    text = st.text_area(
        "The rule as JSON",
        value=orjson.dumps(dict(old), option=orjson.OPT_INDENT_2).decode(),
        key=f"{key}-json",
        height=320,
        help="This rule says more than the form has fields for.",
    )
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        st.markdown(f":red[:material/edit:] This is no valid JSON: {safe(error)}.")
        return None
    return found if isinstance(found, dict) else None
