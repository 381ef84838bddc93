"""The form of a toggle: fields for one rule, the whole document where it says more."""

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
from dashboard.queries import rules as vocabulary
from dashboard.text import percent, safe
from dashboard.widgets import empty, note, said
from storage.records.access import Scope

KINDS = ("boolean", "string", "number", "object")
SIMPLE = frozenset({"key", "when", "value", "coverage"})
"""What the form has fields for in a rule; a rule that says more is edited as JSON."""
EMPTY: Mapping[str, Any] = {"key": "", "name": "", "kind": "boolean", "enabled": False, "default": False, "rules": []}


def author(context: Context, view: Mapping[str, Any] | None) -> None:
    """Draw the form of a new toggle, or of one that is there, with its preview and the commands."""
    if not context.me.may(Scope.CAMPAIGN_WRITE):
        empty(
            "Toggles are written by those who run campaigns.", f"It needs the permission {Scope.CAMPAIGN_WRITE.value}."
        )
        return
    start = merging.started(context, "toggle", view)
    key, old = start.key, start.fields or EMPTY
    with drafts.kept(context, start.name, key=key, began=merging.noted(start)):
        toggle = _fields(context, old, key) if simple(old) else _whole(old, key)
    if overtaken(context, start, view, "toggle", toggle) or toggle is None:
        return
    if not toggle.get("key"):
        note("Name a key to see what this toggle would do.")
        return
    told = context.control.post("/toggles/validate", {"toggle": toggle})
    for problem in told["problems"]:
        st.markdown(f":red[:material/edit:] **{safe(problem['field'])}** {safe(problem['message'], limit=300)}")
    if told["problems"]:
        return
    broad = told["level"] == "D2"
    said(
        "warn" if broad else "pass",
        f"It may give {percent(told['reach'], 3)} of everyone something else"
        + ("; a second person must agree, unless one runs everything." if broad else "."),
    )
    _commands(context, toggle, start, broad=broad)


def simple(toggle: Mapping[str, Any]) -> bool:
    """Tell whether the form has fields for everything that a toggle says.

    >>> simple({"rules": [{"key": "r", "value": True, "when": {}, "coverage": 0.1, "variations": [], "seed": ""}]})
    True
    >>> simple({"rules": [{"key": "r", "value": None, "when": {}, "variations": [1, 2]}]})
    False
    """
    rules = toggle.get("rules") or ()
    if len(rules) > 1:
        return False
    told = {"by": "subject", "hash_version": 2, "zone": "UTC"}
    return all(
        name in SIMPLE or not value or told.get(name) == value for rule in rules for name, value in rule.items()
    ) and all(conditions.lines(rule.get("when") or {}) is not None for rule in rules)


def _fields(context: Context, old: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    rule = (old.get("rules") or [{}])[0]
    left, right = st.columns(2)
    name = old.get("key") or left.text_input(
        "Key", key=f"{key}-key", placeholder="new-checkout", help="What the app asks for; it stays."
    )
    title = right.text_input("Name", value=old.get("name", ""), key=f"{key}-name", help="For people.")
    owner = left.text_input("Owner", value=old.get("owner", ""), key=f"{key}-owner", help="Who answers for it.")
    kind = old["kind"] if old.get("key") else right.selectbox("Kind", KINDS, key=f"{key}-kind", help="Of its values.")
    default = _value(left, "Default", old.get("default"), str(kind), key=f"{key}-default", about="Where no rule holds.")
    value = _value(
        right, "Value", rule.get("value", True), str(kind), key=f"{key}-value", about="For those of the rule."
    )
    words = read(context, vocabulary.vocabulary)
    when = conditions.ask(
        "For whom",
        rule.get("when") or {},
        words.asked,
        key=f"{key}-when",
        nobody="everyone",
        help="All lines must hold; without one it is for everyone.",
    )
    everyone = st.toggle(
        "All of them",
        value=rule.get("coverage") is None and bool(rule),
        key=f"{key}-all",
        help="Off: a share of them, by hash. Who said no to personalization is in no share.",
    )
    share = None
    if not everyone:
        share = st.slider("Share of them, %", 0.0, 100.0, 100.0 * float(rule.get("coverage") or 0.05), 1.0,
                          key=f"{key}-share", help="Who is in stays in while it grows.") / 100.0  # fmt: skip
    enabled = st.toggle("On", value=bool(old.get("enabled")), key=f"{key}-on", help="Off gives everyone the default.")
    if default is None or value is None:
        said("warn", "Default and value must be of the kind; objects are JSON.")
        return None
    rules = [{"key": rule.get("key") or "main", "when": when, "value": value, "coverage": share}]
    return {"key": str(name), "name": title, "owner": owner, "kind": kind, "enabled": enabled, "default": default,
            "rules": rules}  # fmt: skip


def _value(place: Any, label: str, before: Any, kind: str, *, key: str, about: str) -> Any:
    """Ask for one value; None where it is not of the kind."""
    key = f"{key}-{kind}"
    if kind == "boolean":
        return place.selectbox(label, [False, True], index=int(bool(before)), key=key, help=about)
    if kind == "number":
        number = before if isinstance(before, int | float) and not isinstance(before, bool) else 0.0
        return place.number_input(label, value=float(number), key=key, help=about)
    if kind == "string":
        return place.text_input(label, value=before if isinstance(before, str) else "", key=key, help=about)
    whole = before if isinstance(before, dict | list) else {}
    return _json(place.text_input(label, value=orjson.dumps(whole).decode(), key=key, help=about))


def _json(text: str) -> Any:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict | list) else None


def _whole(old: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    text = st.text_area(
        "The toggle as JSON",
        value=orjson.dumps(dict(old), option=orjson.OPT_INDENT_2).decode(),
        key=f"{key}-json",
        height=320,
        help="This toggle says more than the form has fields for.",
    )
    found = _json(text)
    if not isinstance(found, dict):
        said("warn", "This is no valid JSON object.")
        return None
    return found


def _commands(context: Context, toggle: Mapping[str, Any], start: Start, *, broad: bool) -> None:
    name, key, old = str(toggle["key"]), start.key, start.stands is not None
    with st.container(horizontal=True):
        command(
            context,
            "Save" if old else "Create",
            path=f"/toggles/{name}" if old else "/toggles",
            method="put" if old else "post",
            key=f"{key}-save",
            scope=Scope.CAMPAIGN_WRITE,
            body={"toggle": dict(toggle)},
            etag=start.etag or None,
            icon=":material/check:",
            confirm=name if broad else None,
            primary=True,
            what="Engines know it within a second; going back is one step.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key=f"{key}-propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "toggle.edit" if old else "toggle.create", "key": name, "payload": {"toggle": dict(toggle)}},
            icon=":material/edit_note:",
            what="Drafts a change that someone else approves.",
        )
