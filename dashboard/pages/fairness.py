"""Fairness: audits by group, run as jobs, never overwritten."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, groups
from dashboard.queries import findings
from dashboard.text import safe
from dashboard.widgets import empty, note, panel, said
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
        audits.start(context, "fairness", "Compares exposure and click rate of groups over the imported rows.")
        if not found:
            empty(
                "No fairness audit has run, so fairness is not known.",
                "Start one above: it takes a minute, and needs a declared attribute of the audience.",
            )
            return
        shown.append(audits.choose(found, key="fairness"))
        audits.head(context, shown[0])
    if not shown:
        return
    chosen = shown[0]
    if not context.me.may(Scope.FAIRNESS_READ):
        note("Groups and their figures need the permission fairness:read; the verdict is for everyone.")
        return
    for attribute in chosen.result.get("attributes", ()):
        st.markdown(f"#### By {safe(attribute['attribute'])}")
        columns = st.columns(2)
        for place, metric in enumerate(attribute["metrics"]):
            name = f"{attribute['attribute']}-{metric['metric']}"
            with (
                columns[place % 2],
                panel(metric_title(metric["metric"]), help=metric_help(metric["metric"]), key=name),
            ):
                said(metric["verdict"], safe(metric["sentence"], limit=400))
                groups.draw(
                    context,
                    metric,
                    title=metric_title(metric["metric"]).lower(),
                    share=metric["metric"] != "exposure",
                    key=name,
                )
    with panel("Every audit", help="Each run is kept as it was; newest first.", key="trend"):
        audits.history(found, key="fairness")


TITLES = {
    "exposure": ("Exposure", "Mean of 1 / log2(1 + position) of what a group was shown: how prominent, not how often."),
    "click_rate": ("Click rate", "Clicks per impression of a group, with the interval computed from its counts."),
}


def metric_title(metric: str) -> str:
    """Return a metric's name for people."""
    return TITLES.get(metric, (safe(metric.replace("_", " ").capitalize()), ""))[0]


def metric_help(metric: str) -> str:
    """Return what a metric is."""
    return TITLES.get(metric, ("", "As the audit computed it, by group, with interval and count."))[1]
