"""Rules on the page: the list, one of them with its commands, what each did, what is advised."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.panels.conditions import WORDS, lines
from dashboard.text import ago, count, interval, percent, plain, safe, stamp
from dashboard.widgets import chart, empty, note, said, simulated, table
from scoring_core.rules import NO_ARM
from storage.records.access import Scope
from storage.records.findings import Audit

DID: Mapping[str, str] = {"pin": "pins", "boost": "lifts", "exclude": "leaves out", "set": "sets"}


def told(condition: Mapping[str, Any], nobody: str) -> str:
    """Return a condition in words, as JSON where it says more than words can.

    >>> told({"age": {"$gte": 30}}, "everyone"), told({}, "everyone")
    ('age is at least 30', 'everyone')
    """
    found = lines(condition)
    if found is None:
        return orjson.dumps(dict(condition)).decode()
    return " and ".join(f"{name} {WORDS[operator]} {text}" for name, operator, text in found) or nobody


def does(rule: Mapping[str, Any]) -> str:
    """Return what a rule does, in words.

    >>> does({"action": "boost", "factor": 0.5, "items": {"kind": "bag"}})
    'lowers × 0.5: kind is bag'
    """
    action = rule["action"]
    if action == "set":
        return "sets " + ", ".join(f"{name} = {value}" for name, value in rule["values"].items())
    items = told(rule["items"], "all items")
    if action == "boost":
        return f"{'lowers' if rule['factor'] < 1 else 'lifts'} × {rule['factor']:g}: {items}"
    return f"pins at slot {rule['slot']}: {items}" if action == "pin" else f"leaves out: {items}"


def listed(found: Sequence[Mapping[str, Any]]) -> None:
    """Draw every rule in the order in which they apply."""
    ordered = sorted((view["rule"] for view in found), key=lambda rule: (-rule["priority"], rule["key"]))
    table(
        [
            {
                "rule": plain(rule["name"] or rule["key"], 60),
                "state": "on" if rule["enabled"] else "off",
                "priority": rule["priority"],
                "does": plain(does(rule), 120),
                "for": plain(told(rule["when"], "everyone"), 120),
                "where": plain(", ".join([*rule["surfaces"], *rule["campaigns"]]) or "everywhere", 60),
                "test": "".join(f"{arm['key']} {percent(arm['share'], 2)} " for arm in rule["arms"]) or "–",
                "version": rule["version"],
            }
            for rule in ordered
        ],
        key="rules-table",
        alt="Every rule with its state, priority, what it does and for whom",
    )


def steps(context: Context, view: Mapping[str, Any]) -> None:
    """Offer what can be done to a rule in one step."""
    rule, etag = view["rule"], view["etag"]
    key, on = str(rule["key"]), bool(rule["enabled"])
    broad = not rule["when"] and not rule["campaigns"]
    with st.container(horizontal=True):
        command(
            context,
            "Turn off" if on else "Turn on",
            path=f"/rules/{key}/{'disable' if on else 'enable'}",
            key=f"turn-{key}",
            scope=Scope.CAMPAIGN_WRITE,
            icon=":material/toggle_off:" if on else ":material/toggle_on:",
            confirm=key if broad and not on else None,
            what="Nobody is served by it any more, within a second. No approval is needed."
            if on
            else "It serves within a second."
            + (" It touches whoever comes: a second person must agree, unless one runs everything." if broad else ""),
        )
        if view.get("previous"):
            command(
                context,
                "Back",
                path=f"/rules/{key}/rollback",
                key=f"back-{key}",
                scope=Scope.CAMPAIGN_WRITE,
                icon=":material/undo:",
                what=f"Puts back what the last edit replaced: it {safe(does(view['previous']), limit=200)}.",
            )
        if not on:
            command(
                context,
                "Delete",
                path=f"/rules/{key}",
                method="delete",
                key=f"delete-{key}",
                scope=Scope.CAMPAIGN_WRITE,
                etag=etag,
                icon=":material/delete:",
                confirm=key,
                what="It is gone; the ledger keeps what it was.",
            )
    note(f"version {rule['version']}, changed {stamp(view['updated_at'], seconds=False)} UTC")


def advice(audit: Audit, context: Context) -> None:
    """Draw what is advised, what matters most first."""
    found = audit.result.get("advice", ())
    if not found:
        empty("Nothing is advised.", "Advice comes when rules are on and people have seen something.")
    for one in found:
        said(one["verdict"], safe(one["sentence"], limit=500))
    note(f"judged {ago(audit.at, context.now)}; a rule is judged by what came since it last changed")


def performance(audit: Audit, context: Context, key: str | None) -> None:
    """Draw what each rule did, and the arms of one of them with their intervals."""
    effects = audit.result.get("effects", ())
    if not effects:
        empty("No rule that is on was judged yet.", "Write one below; control judges every hour.")
        return
    simulated([origin for effect in effects for origin in effect["origins"]])
    by_key = {effect["rule"]: effect for effect in effects}
    chosen = by_key.get(key or "") or max(effects, key=lambda effect: effect["held"])
    _arms(context, chosen)
    table(
        [_line(effect, arm) for effect in effects for arm in effect["arms"]],
        key="effects-table",
        alt="What each rule did, by arm, with 95 % intervals",
    )
    note("The difference is that of the click rate to the arm that is off, or to where the rule did not apply.")


def _arms(context: Context, effect: Mapping[str, Any]) -> None:
    arms = [arm for arm in effect["arms"] if arm["rate"] is not None]
    spoken = ", ".join(f"{named(arm)} {percent(arm['rate'])}" for arm in arms)
    if not arms:
        empty(f"Nobody has seen anything under {safe(effect['rule'])} yet.", "So nothing is known of it.")
        return
    chart(
        estimates(
            [
                Estimate(name=named(arm), value=arm["rate"], low=arm["low"], high=arm["high"], n=arm["impressions"])
                for arm in arms
            ],
            context.look,
            title=f"click rate under {safe(effect['rule'], 'figure', limit=40)}",
        ),
        key="effect",
        alt=f"Click rate by arm: {spoken}",
        rows=lambda: [_line(effect, arm) for arm in arms],
    )
    if not effect["tested"]:
        note("It has no arm that is off, so those whom it did not touch are other people: no cause can be read here.")


def named(arm: Mapping[str, Any]) -> str:
    """Return what an arm is called: who is in no arm gets the rule as it stands."""
    return "as it stands" if arm["arm"] == NO_ARM else plain(arm["arm"], 20)


def _line(effect: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    versus = arm["versus"]
    return {
        "rule": plain(effect["rule"], 40),
        "arm": named(arm),
        "decisions": count(arm["decisions"]),
        "seen": count(arm["impressions"]),
        "click rate": _rate(arm["rate"], arm["low"], arm["high"]),
        "conversion rate": _rate(arm["conversion_rate"], arm["conversion_low"], arm["conversion_high"]),
        "difference": "" if versus is None else f"{100 * versus['low']:+.2f} to {100 * versus['high']:+.2f} pp",
        "since (UTC)": stamp(effect["since"], seconds=False),
    }


def _rate(value: float | None, low: float, high: float) -> str:
    return "not known" if value is None else f"{percent(value)} ({interval(low, high)})"
