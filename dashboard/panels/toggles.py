"""Toggles on the page: the list, one of them with its commands, and what somebody would get."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.panels.rules import told
from dashboard.text import percent, plain, safe
from dashboard.widgets import empty, note, said, table
from storage.records.access import Scope

SOURCES: Mapping[str, str] = {
    "force": "by rule",
    "experiment": "drawn by rule",
    "default": "no rule holds",
    "disabled": "the toggle is off",
    "prerequisite": "withheld by a prerequisite of rule",
}


def gives(rule: Mapping[str, Any]) -> str:
    """Return what a rule gives to whom, in words.

    >>> gives({"value": True, "variations": [], "coverage": 0.2, "when": {}, "ranges": [], "requires": []})
    'true to 20.0 % of everyone'
    """
    value = orjson.dumps(rule["variations"] or rule["value"]).decode()
    given = f"one of {value}" if rule["variations"] else value
    if rule["value"] is None and not rule["variations"]:
        given = "nothing, and keeps others away"
    share = "" if rule["coverage"] is None else f"{percent(rule['coverage'], 3)} of "
    whom = f"those where {told(rule['when'], '')}" if rule["when"] else "everyone"
    return f"{given} to {share}{'ranges of ' if rule['ranges'] else ''}{whom}"


def listed(found: Sequence[Mapping[str, Any]]) -> None:
    """Draw every toggle."""
    table(
        [
            {
                "toggle": plain(view["toggle"]["key"], 60),
                "state": "on" if view["toggle"]["enabled"] else "off",
                "default": plain(orjson.dumps(view["toggle"]["default"]).decode(), 60),
                "rules": plain("; ".join(gives(rule) for rule in view["toggle"]["rules"]) or "none", 200),
                "reach": percent(view["reach"], 3),
                "owner": plain(view["toggle"]["owner"] or "–", 60),
                "version": view["toggle"]["version"],
            }
            for view in found
        ],
        key="toggles-table",
        alt="Every toggle with its state, default, rules and reach",
    )


def steps(context: Context, view: Mapping[str, Any]) -> None:
    """Offer what can be done to a toggle in one step."""
    toggle, key, on = view["toggle"], str(view["toggle"]["key"]), bool(view["toggle"]["enabled"])
    with st.container(horizontal=True):
        command(
            context,
            "Turn off" if on else "Turn on",
            path=f"/toggles/{key}/{'disable' if on else 'enable'}",
            key=f"turn-{key}",
            scope=Scope.CAMPAIGN_WRITE,
            icon=":material/toggle_off:" if on else ":material/toggle_on:",
            confirm=None if on else key,
            what="Everyone gets the default, on every replica, within a second. No approval is needed."
            if on
            else "Its rules hold within a second. Where they reach many at once, a second person must agree.",
        )
        if view.get("previous"):
            command(
                context,
                "Put back",
                path=f"/toggles/{key}/rollback",
                key=f"back-{key}",
                scope=Scope.CAMPAIGN_WRITE,
                icon=":material/undo:",
                what="Puts back what the last edit replaced, as a new version; what is off stays off.",
            )
        if not on:
            command(
                context,
                "Delete",
                path=f"/toggles/{key}",
                method="delete",
                key=f"delete-{key}",
                scope=Scope.CAMPAIGN_WRITE,
                etag=view["etag"],
                icon=":material/delete:",
                what="Apps that still ask for it are told that there is none.",
            )
    for place, rule in enumerate(toggle["rules"], start=1):
        note(f"{place}. {safe(rule['key'])}: {safe(gives(rule), limit=300)}")


def tried(context: Context, view: Mapping[str, Any] | None) -> None:
    """Draw what somebody would get by a saved toggle."""
    if view is None:
        empty("Choose a toggle above.", "Then describe somebody, and see what they would get and why.")
        return
    key = str(view["toggle"]["key"])
    subject = st.text_input("Subject", value="somebody", key=f"try-{key}", help="Whose bucket is drawn; any text.")
    text = st.text_input("Attributes (JSON)", value="{}", key=f"try-{key}-json", help='Such as {"age": 30}.')
    try:
        attributes = orjson.loads(text)
    except orjson.JSONDecodeError:
        attributes = None
    if not isinstance(attributes, dict):
        said("warn", "Attributes are a JSON object.")
        return
    person = {"subject": subject or None, "attributes": attributes}
    one = context.control.post(f"/toggles/{key}/try", {"people": [person]})["evaluations"][0]
    value = safe(orjson.dumps(one["value"]).decode(), limit=200)
    st.markdown(f"**{value}**, {SOURCES.get(one['source'], safe(one['source']))} {safe(one['rule'])}".rstrip())
    if one["bucket"] is not None:
        note(f"bucket {one['bucket']:.4f}: a share covers the buckets below it, so who is in stays in while it grows")
