"""Drift: whether the audience has changed since the reference, and whether it matters."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, features
from dashboard.queries import findings
from dashboard.widgets import empty, panel, table
from storage.records.findings import Audit


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, findings.audits, kind="drift")
    shown: list[Audit] = []
    with panel(
        "Verdict",
        help="Red only if a change is both beyond what no drift gives at these sample sizes and large enough to matter "
        "(PSI above the feature's own threshold, at least 0.1).",
        key="verdict",
    ):
        audits.start(context, "drift", "Compares the first half of the logged time with the second, by feature.")
        if not found:
            empty("No drift audit has run, so drift is not known.", "Start one above; it takes a minute or two.")
            return
        shown.append(audits.choose(found, key="drift"))
        audits.head(context, shown[0])
    if not shown:
        return
    chosen = shown[0]
    rows = list(chosen.result.get("features", ()))
    with panel(
        "Features",
        help="One row per feature, largest change first. PSI: population stability index of binned "
        "shares. Threshold: the larger of 0.1 and the 99th percentile under no drift. p: after "
        "Benjamini–Hochberg.",
        key="features",
    ):
        if not rows:
            empty("This run holds no feature.", "See the job's error on the System page.")
            return
        table(
            [features.told(row) for row in rows],
            key="drift-table",
            alt="Features with their change, threshold and verdict",
        )
    with panel("One feature", help="Shares of each bin in the reference and now.", key="feature"):
        by_name = {str(row["feature"]): row for row in rows}
        name = st.selectbox(
            "Feature", list(by_name), key="feature", bind="query-params", width=260, help="Largest change first."
        )
        features.detail(context, by_name.get(name or "", rows[0]))
    with panel("Every audit", help="Each run is kept as it was; newest first.", key="trend"):
        audits.history(found, key="drift")
