"""What is foretold of people: each model beside the best one-line rule, and of one person with its factors."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.queries.audience import State
from dashboard.text import count, digits, percent, safe, stamp
from dashboard.widgets import empty, note, said, table
from governance.forecasting import ForecastView
from storage.errors import NotFound

PROVEN = "Calibration proven"


def proofs(state: State) -> None:
    """Say of each model what it foretells and whether it beats the best one-line rule; never more."""
    for place, one in enumerate(state.forecasts):
        if place:
            st.divider()
        _proof(one)


def _proof(one: ForecastView) -> None:
    st.markdown(f"**{one.title}**" + (f" · {safe(one.outcome)}" if one.outcome else ""))
    said(one.verdict, safe(one.proof, limit=500))
    if one.calibration:
        said("pass" if one.calibration.startswith(PROVEN) else "unknown", safe(one.calibration, limit=300))
    rules = one.evaluation.get("rules")
    if not isinstance(rules, Mapping) or not rules:
        return
    with st.popover("Beside every rule", icon=":material/table:", type="tertiary", key=f"rules-{one.name}"):
        table(
            [
                {
                    "rule": name,
                    "model": digits(told["model"]),
                    "of the rule": digits(told["rival_value"]),
                    "better by": digits(told["difference"]),
                    "95 % from": digits(told["difference_low"]),
                    "to": digits(told["difference_high"]),
                    "verdict": str(told["verdict"]).replace("_", " "),
                }
                for name, told in rules.items()
            ],
            key=f"rules-table-{one.name}",
            alt=f"{one.title} beside each one-line rule, on held-out time",
        )
        note(f"{count(one.people)} people, on time that nothing was fitted on. Version {safe(one.version)}.")


def person(context: Context) -> None:
    """Offer to look one person up: segments, forecasts, and why."""
    with st.form("person", border=False):
        name = st.text_input("Person", key="person-id", help="The id as your application sends it.")
        why = st.text_input("Reason", key="person-why", help="At least 10 characters; the look-up is recorded.")
        asked = st.form_submit_button("Look up", icon=":material/search:")
    if not asked:
        return
    if not name or len(why) < 10:
        st.warning("Give the person's id and a reason of at least 10 characters.", icon=":material/edit:")
        return
    try:
        found = context.control.post("/analytics/person", {"subject": name, "reason": why})
    except NotFound:
        empty("Nothing may be told of this person.", "No event is kept, or they did not agree to profiling.")
        return
    note(f"{count(found['events'])} events since {stamp(found['first_at'], seconds=False)} UTC")
    for one in found["segments"]:
        st.markdown(
            f"- **{safe(one['key'].replace('_', ' '))}** {safe(one['title'], limit=200)} "
            f":gray[confidence {percent(one['confidence'])}]"
        )
    for kind, one in found["forecasts"].items():
        _forecast(kind, one)
    if not found["forecasts"]:
        note("No model of people is in service.")


def _forecast(kind: str, one: Mapping[str, Any]) -> None:
    value, days = one["value"], digits(one["horizon_days"])
    if value is None:
        told = "unknown"
    elif kind == "churn":
        told = f"{percent(value)} risk to be lost"
    elif kind == "value":
        told = f"expected to spend {digits(value)}"
    elif kind == "creators":
        told = ", ".join(f"{safe(each['creator'])} {percent(each['chance'])}" for each in one["creators"])
    else:
        told = f"{safe(str(value))}, {percent(one['chances'][value])}"
    st.markdown(f"**{safe(kind.replace('_', ' ').capitalize())}** within {days} days: {told}")
    factors: Sequence[Mapping[str, Any]] = one["factors"]
    for factor in factors:
        up = factor["contribution"] > 0
        arrow = ":material/arrow_upward:" if up else ":material/arrow_downward:"
        st.markdown(f"- {arrow} {safe(factor['words'])}")
    unproven = [
        text
        for text, holds in (
            ("the model is not shown to be better than a one-line rule", one["verdict"] != "better"),
            ("its calibration is not proven", one["calibration"] != "proven"),
        )
        if holds
    ]
    if unproven:
        note(f"Take it with care: {' and '.join(unproven)}.")
