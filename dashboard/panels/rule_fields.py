"""The fields of a rule: what it does, for whom, on which items, where and when, and whom it leaves out as a test."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.panels import conditions
from dashboard.queries.rules import Vocabulary
from dashboard.text import safe
from dashboard.view import zones
from dashboard.widgets import note

DOES: Mapping[str, str] = {
    "boost": "lift or lower items",
    "pin": "put an item at a slot",
    "exclude": "leave items out",
    "set": "set the app's configuration",
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OF_ITEMS: Mapping[str, str] = {
    "item_id": "string",
    "kind": "string",
    "tags": "list",
    "title": "string",
    "stock": "number",
}


def fields(old: Mapping[str, Any], words: Vocabulary, key: str) -> dict[str, Any]:
    """Ask for a rule, starting from what it was."""
    rule = dict(old)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if not old:
            rule["key"] = st.text_input(
                "Key", key=f"{key}-key", width=180, help="Short, stays for good: it stands in decisions and ledger."
            ).strip()
        rule["name"] = st.text_input(
            "Name", value=old.get("name", ""), key=f"{key}-name", width=240, help="What people call it."
        )
        actions = list(DOES)
        rule["action"] = st.selectbox(
            "It shall",
            actions,
            index=actions.index(old.get("action", "boost")),
            format_func=DOES.__getitem__,
            key=f"{key}-action",
            width=230,
            disabled=bool(old),
            help="What the rule does where it holds.",
        )
        rule["priority"] = int(
            st.number_input(
                "Priority",
                value=int(old.get("priority", 0)),
                step=1,
                key=f"{key}-priority",
                width=140,
                help="Higher goes first: the first rule has the slot or the setting.",
            )
        )
    rule |= _effect(rule, old, words, key)
    rule["when"] = conditions.ask(
        "For whom and when",
        old.get("when") or {},
        words.asked,
        key=f"{key}-when",
        nobody="everyone",
        help="All lines must hold. What the request tells, what the person did and stated, session, time, enrichers.",
    )
    if rule["action"] != "set":
        rule["items"] = conditions.ask(
            "Which items",
            old.get("items") or {},
            OF_ITEMS,
            key=f"{key}-items",
            nobody="all items",
            help="All lines must hold. Attributes of the catalogue by name: type one that is not listed.",
        )
    with st.expander("Where, schedule, test, words"):
        rule |= _rest(old, words, key)
    return rule


def _effect(rule: Mapping[str, Any], old: Mapping[str, Any], words: Vocabulary, key: str) -> dict[str, Any]:
    if rule["action"] == "boost":
        factor = st.number_input(
            "Multiply the score by",
            value=float(old.get("factor", 1.5)),
            min_value=0.01,
            step=0.1,
            key=f"{key}-factor",
            width=180,
            help="Above 1 lifts, below 1 lowers.",
        )
        return {"factor": float(factor)}
    if rule["action"] == "pin":
        slot = st.number_input(
            "Slot",
            value=int(old.get("slot", 1)),
            min_value=1,
            step=1,
            key=f"{key}-slot",
            width=140,
            help="Counted from 1. The best item that matches stands there.",
        )
        return {"slot": int(slot)}
    return {"values": _values(old.get("values") or {}, words, key)} if rule["action"] == "set" else {}


def _values(old: Mapping[str, Any], words: Vocabulary, key: str) -> dict[str, Any]:
    if not words.app:
        note("The installation declares no configuration of an app; its settings may (`app`).")
        return {}
    chosen = st.multiselect(
        "Settings of the app",
        list(words.app),
        default=[name for name in old if name in words.app],
        key=f"{key}-values",
        help="Which of the app's settings this rule gives another value.",
    )
    found: dict[str, Any] = {}
    with st.container(horizontal=True):
        for name in chosen:
            default = old.get(name, words.app[name])
            kind = "boolean" if isinstance(default, bool) else "string" if isinstance(default, str) else "number"
            text = st.text_input(
                safe(name), value=str(default), key=f"{key}-value-{name}", width=180, help=f"A {kind}, as its default."
            )
            found[name] = conditions.worth(text, kind)
    return found


def _rest(old: Mapping[str, Any], words: Vocabulary, key: str) -> dict[str, Any]:
    surfaces = st.multiselect(
        "Surfaces",
        words.surfaces,
        default=[one for one in old.get("surfaces", ()) if one in words.surfaces],
        placeholder="all",
        key=f"{key}-surfaces",
        help="Where it may apply.",
    )
    campaigns = st.multiselect(
        "Campaigns",
        words.campaigns,
        default=[one for one in old.get("campaigns", ()) if one in words.campaigns],
        placeholder="all",
        key=f"{key}-campaigns",
        help="In which campaigns it may apply.",
    )
    days = st.pills(
        "Days",
        range(7),
        selection_mode="multi",
        default=list(old.get("weekdays", ())),
        format_func=DAYS.__getitem__,
        key=f"{key}-days",
        help="None chosen is every day.",
    )
    hours = st.multiselect(
        "Hours",
        range(24),
        default=list(old.get("hours", ())),
        format_func="{:02d}:00".format,
        placeholder="all",
        key=f"{key}-hours",
        help="Whole hours of the zone below.",
    )
    known = list(dict.fromkeys([old.get("zone", "UTC"), *zones()]))
    zone = st.selectbox("Zone", known, key=f"{key}-zone", width=200, help="The clock of its days and hours.")
    arms = old.get("arms") or ()
    share = st.slider(
        "Leave it off for",
        0,
        90,
        value=round(100 * arms[0]["share"]) if arms else 0,
        step=5,
        format="%d %%",
        key=f"{key}-off",
        help="A share of people, by hash, who do not get it: only so it can be known what the rule does.",
    )
    group = st.text_input(
        "Group", value=old.get("group", ""), key=f"{key}-group", help="Of rules of one group only the first applies."
    )
    reason = st.text_input(
        "Sentence for people",
        value=old.get("reason", ""),
        key=f"{key}-reason",
        help="What a person may read as the reason for an item; empty gives the words of the surface.",
    )
    off = {"key": arms[0]["key"] if arms else "off", "share": share / 100, "off": True}
    return {
        "surfaces": surfaces,
        "campaigns": campaigns,
        "weekdays": sorted(days or ()),
        "hours": sorted(hours),
        "zone": zone,
        "arms": [{**(arms[0] if arms else {}), **off}] if share else [],
        "group": group.strip(),
        "reason": reason,
        "enabled": st.toggle(
            "On", value=old.get("enabled", True), key=f"{key}-enabled", help="Off is written, and serves nobody."
        ),
    }
