"""The form of an objective of one's own: which indicator, what share of it shall be good, over how long."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import drafts, merging
from dashboard.commands import command
from dashboard.context import Context
from dashboard.merging import Start
from dashboard.panels.overtaken import overtaken
from dashboard.text import digits, lasting, plain, safe
from dashboard.widgets import choose, empty, note, said
from governance.alerts.objectives import level_of
from storage.records.access import Scope
from storage.records.alerts import Slo
from storage.records.clock import DAY
from storage.records.document import parse

MINE = ("key", "title", "indicator", "objective", "period_days", "enabled")


def author(context: Context) -> None:
    """Draw the form of a new objective, or of one of the installation's own."""
    if not context.me.may(Scope.POLICY_APPLY):
        empty("Objectives are set by operations.", f"It needs the permission {Scope.POLICY_APPLY.value}.")
        return
    found = context.control.get("/slos")
    chosen = choose("target", [{"target": one["slo"]} for one in found["slos"] if one["own"]])
    view = context.control.get(f"/slos/{chosen['target']['key']}") if chosen else None
    start = merging.started(context, "slo", view)
    with drafts.kept(context, start.name, key=start.key, began=merging.noted(start)):
        slo = _fields(start.fields, found["indicators"], start.key)
    if overtaken(context, start, view, "slo", slo):
        return
    if not slo["key"]:
        note("Name a key to set a target; the key of one of the house puts yours in its place.")
    elif start.stands is not None and all(slo[name] == start.stands[name] for name in MINE):
        note("This is the objective as it stands; change something to save it.")
    else:
        _save(context, slo, start)
    if view is not None:
        _end(context, view)


def _fields(old: Mapping[str, Any], indicators: Mapping[str, str], key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    name = old.get("key") or left.text_input(
        "Key", key=f"{key}-key", placeholder="availability-shop", help="Its name in alerts and the ledger, for good."
    )
    title = right.text_input("Title", value=old.get("title", ""), key=f"{key}-title", help="What people call it.")
    known = list(dict.fromkeys([*([old["indicator"]] if old else []), *indicators]))
    indicator = left.selectbox(
        "Indicator",
        known,
        format_func=lambda one: plain(str(one).replace("_", " "), 60),
        key=f"{key}-indicator",
        help="What is counted: good ones of the valid ones, minute by minute.",
    )
    target = right.number_input(
        "Target, % good",
        min_value=0.001,
        max_value=99.999,
        value=100.0 * float(old.get("objective", 0.99)),
        step=0.1,
        format="%.3f",
        key=f"{key}-target",
        help="The least share of good ones; what it leaves is the error budget.",
    )
    days = left.number_input(
        "Over days", 1, 35, int(old.get("period_days", 30)), key=f"{key}-days", help="The period of the budget."
    )
    on = right.toggle("On", value=bool(old.get("enabled", True)), key=f"{key}-on", help="Off: no card and no alert.")
    note(f"Good: {safe(indicators.get(str(indicator), 'unknown'), limit=200)}.")
    return {
        **old, "key": str(name).strip(), "title": title.strip(), "indicator": indicator,
        "objective": round(float(target) / 100.0, 8), "period_days": int(days), "enabled": on,
    }  # fmt: skip


def dangerous(slo: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Tell whether an objective asks for less than the one before, its own or the house's of that key.

    >>> dangerous({"key": "a", "indicator": "latency", "objective": 0.9}, None)
    False
    """
    return level_of(parse(Slo, before) if before else None, parse(Slo, slo)) == "D2"


def _save(context: Context, slo: Mapping[str, Any], start: Start) -> None:
    name, old = str(slo["key"]), start.stands is not None
    bears = (1.0 - float(slo["objective"])) * int(slo["period_days"]) * DAY
    said("pass", f"It bears {digits(100 * (1 - float(slo['objective'])))} % bad ones: like {lasting(bears)} of outage.")
    less = dangerous(slo, start.stands)
    command(
        context,
        "Save" if old else "Set target",
        path=f"/slos/{name}" if old else "/slos",
        method="put" if old else "post",
        key=f"{start.key}-save",
        scope=Scope.POLICY_APPLY,
        body={"slo": dict(slo)},
        etag=start.etag or None,
        icon=":material/flag:",
        confirm=name if less else None,
        primary=True,
        what="Budget and burn rates are read anew within a minute; alerts go by it from then on. To ask for less takes "
        "a second person, unless one runs everything.",
    )


def _end(context: Context, view: Mapping[str, Any]) -> None:
    name = str(view["slo"]["key"])
    command(
        context,
        "Delete target",
        path=f"/slos/{name}",
        method="delete",
        key=f"slo-delete-{name}",
        scope=Scope.POLICY_APPLY,
        etag=view["etag"],
        icon=":material/delete:",
        confirm=name,
        what="Nobody is told by it any more; one of the house of that key holds again. It may take a second person.",
    )
