"""Fairness: audits by group, run as jobs or by the clock, never overwritten."""

from collections.abc import Sequence

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, fairness, fairness_run
from dashboard.queries import fairness as queries
from dashboard.queries import findings
from dashboard.text import safe
from dashboard.widgets import empty, note, panel
from storage.records.access import Scope
from storage.records.findings import Audit


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, findings.audits, kind="fairness")
    shown: list[Audit] = []
    with panel(
        "Verdict",
        help="Harm is shown only if a difference is beyond what equal groups give by chance (p < 0.05) and the "
        "ratio is below 0.8. Too few data is a verdict of its own.",
        key="verdict",
    ):
        order = fairness_run.order(context) if context.me.may(Scope.JOB_RUN) else {}
        audits.start(context, "fairness", "Compares groups of people and of items.", arguments=order)
        if found:
            shown.append(audits.choose(found, key="audit_fairness"))
            audits.head(context, shown[0])
        else:
            empty(
                "No fairness audit has run, so fairness is not known.",
                "Start one above: it takes a minute, and needs a declared attribute of the audience.",
            )
    for chosen in shown:
        if not context.me.may(Scope.FAIRNESS_READ):
            note("Groups and their figures need the permission fairness:read; the verdict is for everyone.")
        else:
            _figures(context, chosen, found)
    with panel("By the clock", help="Audits that run by themselves; each names its plan.", key="plans"):
        fairness_run.planned(context, order)
    if context.me.may(Scope.FAIRNESS_READ):
        with panel("Kept apart", help="Sensitive attributes: audits alone read them, no decision does.", key="apart"):
            fairness_run.kept_apart(context)
    if found:
        with panel("Every audit", help="Each run is kept as it was; newest first.", key="trend"):
            audits.history(found, key="fairness")


def _figures(context: Context, chosen: Audit, found: Sequence[Audit]) -> None:
    result, names = chosen.result, queries.measures(chosen.result)
    with panel("Every comparison", help="Verdict, and the lowest group's value over the highest's.", key="all"):
        fairness.overview(result)
    if not names:
        return
    measure = str(st.segmented_control("Measure", names, default=names[0], format_func=fairness.title, required=True))
    for part in result["attributes"]:
        if queries.measured(part, measure) is not None:
            st.markdown(f"## By {safe(part['attribute'])}")
            with panel(fairness.title(measure), help=fairness.meaning(measure), key=f"by-{part['attribute']}"):
                fairness.by_group(context, result, part, measure)
            with panel("Over time", help="Ratio to everyone else; marks: policies.", key=f"time-{part['attribute']}"):
                fairness.over_time(context, result, part, measure)
            with panel(
                "Run by run", help="Did a gap open, or close: one point a run.", key=f"runs-{part['attribute']}"
            ):
                held = queries.runs(found, chosen, attribute=part["attribute"], measure=measure)
                fairness.over_runs(context, held, part["attribute"])
    if result.get("intersections"):
        with panel("Intersections", help="Two attributes at once, where harm hides.", key="pairs"):
            fairness.intersections(context, result["intersections"], measure)
    if result.get("providers"):
        with panel("Providers", help="Whose items get the attention, beside what is clicked.", key="providers"):
            fairness.providers(result)
