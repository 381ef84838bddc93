"""Pieces of the page of experiments: the list, the health of one, what came of it, its exposures."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.commands import SHORTEST_REASON
from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.panels import over_time
from dashboard.queries.experiments import Readout
from dashboard.text import count, digits, interval, percent, plain, safe, stamp
from dashboard.widgets import chart, empty, failure, note, said, simulated, table
from storage.errors import FairleadError
from storage.records.access import Scope

ADVICE: Mapping[str, str] = {
    "ship": "Ship it",
    "keep": "Keep it running",
    "stop": "Stop it",
    "mend": "Mend the split first",
    "wait": "Wait",
    "closed": "Nothing to decide",
}
METRICS: Mapping[str, str] = {
    "clicks": "click rate",
    "conversions": "conversion rate",
    "buyers": "people who bought",
    "value": "value per person",
}
DOTS: Mapping[str, str] = {"pass": "✓ fine", "warn": "▲ look", "fail": "✕ harm shown", "unknown": "◐ not enough data"}


def name_of(one: Readout) -> str:
    """Return how the choice names an experiment."""
    return f"{one['key']} · {one['origin']}"


def listed(found: Sequence[Readout]) -> None:
    """Draw every experiment in a row, with what to do."""
    table(
        [
            {
                "experiment": one["title"],
                "rows": one["origin"],
                "verdict": DOTS[one["verdict"]],
                "what to do": ADVICE[one["advice"]],
                "days": one["health"]["days"],
                "people": one["health"]["people"],
                "times the reference": lift(one),
                "why": plain(one["sentence"], 300),
            }
            for one in found
        ],
        key="experiments-table",
        alt="Experiments with their verdict, what to do and why",
        columns={"people": st.column_config.NumberColumn(format="localized")},
    )


def lift(one: Readout) -> str:
    """Return the greatest lift of the click rate with its interval, in words."""
    if one["hidden"]:
        return "hidden"
    first = [each for each in one["comparisons"] if each["metric"] == "clicks"]
    if not first:
        return "–"
    return relative(max(first, key=lambda each: float(each["lift"]["value"]))["lift"])


def relative(found: Mapping[str, Any]) -> str:
    """Return how many times the reference's rate an arm has, with its interval; no text begins like a formula.

    >>> relative({"relative": 0.5, "relative_low": 0.04, "relative_high": 1.2})
    '1.50 × (1.04 to 2.20)'
    """
    if found["relative"] is None:
        return "–"
    if found["relative_low"] is None or found["relative_high"] is None:
        return f"{1.0 + found['relative']:.2f} × (too few to say how sure)"
    low, high = (max(0.0, 1.0 + found[end]) for end in ("relative_low", "relative_high"))
    return f"{1.0 + found['relative']:.2f} × ({low:.2f} to {high:.2f})"


def choose(found: Sequence[Readout]) -> Readout:
    """Return the experiment that is looked at; the address keeps it."""
    by_name = {name_of(one): one for one in found}
    chosen = st.selectbox(
        "Experiment",
        list(by_name),
        format_func=lambda name: plain(f"{by_name[name]['title']} ({by_name[name]['origin']} rows)", 140),
        key="experiment",
        bind="query-params",
        width=480,
        help="The experiment that is looked at below.",
    )
    return by_name.get(chosen or "", found[0])


def health(one: Readout) -> None:
    """Draw the strip of health."""
    found = one["health"]
    said(one["verdict"], f"**{ADVICE[one['advice']]}.** {safe(one['sentence'], limit=500)}")
    if one["origin"] == "simulated":
        simulated(("simulated",))
    cells = st.columns(5)
    cells[0].metric(
        "Exposures", count(found["impressions"]), f"{count(found['people'])} people or decisions",
        delta_color="off", delta_arrow="off", help="Impressions of all arms, and the units that were divided.",
    )  # fmt: skip
    cells[1].metric(
        "Days", count(found["days"]), f"since {stamp(one['started_at'], seconds=False)}",
        delta_color="off", delta_arrow="off", help="Days UTC with a decision in any arm.",
    )  # fmt: skip
    ratio = found["srm_p"]
    cells[2].metric(
        "Sample ratio", DOTS[found["srm"]] if ratio is not None else "no shares set",
        "not tested" if ratio is None else f"p {digits(ratio)}, {percent(found['srm_deviation'])} off",
        delta_color="off", delta_arrow="off", help="Whether the arms have the shares of people that were set.",
    )  # fmt: skip
    cells[3].metric(
        "Clicks", "hidden" if one["hidden"] else count(found["events"]),
        delta_color="off", help="Impressions that were clicked in time, of all arms.",
    )  # fmt: skip
    share = found["crossed_share"]
    cells[4].metric(
        "Crossed over", count(found["crossed"]), "nobody known" if share is None else f"{percent(share)} of the known",
        delta_color="off", delta_arrow="off", help="People seen in more than one arm; a rollout that grows moves some.",
    )  # fmt: skip
    note(safe(found["sentence"]))


def results(context: Context, one: Readout) -> None:
    """Draw what came of each arm, or why that is hidden and who may look."""
    seen = st.session_state.get("revealed", {}).get(name_of(one)) if one["hidden"] else None
    shown = seen or one
    if one["hidden"] and seen is None:
        empty(safe(one["hidden"], limit=300), "An early look is possible, with a reason; the ledger keeps who looked.")
        _reveal(context, one)
        return
    if seen is not None:
        note(":material/visibility: An early look, entered in the ledger: no decision should follow from it.")
    arms = [arm for arm in shown["arms"] if arm["rate"] is not None]
    if arms:
        chart(
            estimates(
                [
                    Estimate(name=arm["arm"], value=arm["rate"], low=arm["low"], high=arm["high"], n=arm["impressions"])
                    for arm in arms
                ],
                context.look,
                title="clicks per impression",
            ),
            key="experiment-rates",
            alt="Click rate of each arm with its 95 % interval: "
            + "; ".join(f"{arm['arm']} {percent(arm['rate'])} ({interval(arm['low'], arm['high'])})" for arm in arms),
            rows=lambda: arms,
        )
    if not shown["comparisons"]:
        empty("Nothing can be compared yet.", "No arm was clicked, or one was never shown.")
        return
    table(
        [
            {
                "metric": METRICS[each["metric"]],
                "arm": each["arm"],
                "times the reference, 95 %": relative(each["lift"]),
                "difference, 95 %": _difference(each),
                "stands": "yes" if each["stands"] else "no" if each["metric"] == "clicks" else "not judged",
                "still needed": count(each["needed"]) if each["needed"] else "–",
            }
            for each in shown["comparisons"]
        ],
        key="comparisons-table",
        alt="Each metric of each arm beside the reference, with intervals",
    )
    note(
        f"Everything is held against the arm {safe(shown['reference'])}. Only the click rate is judged; what people "
        "bought and what it was worth is told beside it, per known person."
    )


def _difference(each: Mapping[str, Any]) -> str:
    found, points = each["lift"], 1.0 if each["metric"] == "value" else 100.0
    unit = "" if each["metric"] == "value" else " points"
    return f"from {points * found['low']:+.2f} to {points * found['high']:+.2f}{unit}"


def _reveal(context: Context, one: Readout) -> None:
    if not context.me.may(Scope.POLICY_APPROVE):
        note(f"An early look needs the permission {Scope.POLICY_APPROVE.value}.")
        return
    with (
        st.popover("Look early", icon=":material/visibility:", key="reveal-open"),
        st.form("reveal-form", border=False),
    ):
        why = st.text_input("Reason", key="reveal-reason", help="At least 10 characters. It stands in the ledger.")
        asked = st.form_submit_button("Look early", icon=":material/visibility:")
    if not asked:
        return
    if len(why.strip()) < SHORTEST_REASON:
        st.warning("Say why in at least 10 characters.", icon=":material/edit:")
        return
    try:
        order = {"key": one["key"], "origin": one["origin"], "reason": why.strip()}
        seen = context.control.post("/experiments/reveal", order)
    except FairleadError as error:
        failure(error, "reveal")
        return
    st.session_state["revealed"] = {**st.session_state.get("revealed", {}), name_of(one): seen}
    st.rerun()


def exposures(context: Context, one: Readout) -> None:
    """Draw how many were put in each arm, day by day."""
    names = list(dict.fromkeys(day["arm"] for day in one["days"]))
    if len({day["day"] for day in one["days"]}) < 2:
        for name in names:
            n = sum(day["decisions"] for day in one["days"] if day["arm"] == name)
            st.markdown(f"{safe(name)}: {count(n)} on one day")
        note("A line needs a second day.")
        return
    series = {
        name: tuple((day["day"], float(day["decisions"])) for day in one["days"] if day["arm"] == name)
        for name in names
    }
    over_time.draw(context, series, key="experiment-exposures", what="Exposures by arm", unit="a day", zone="UTC")
