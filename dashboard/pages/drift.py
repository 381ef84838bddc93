"""Drift: whether what is asked, predicted, shown and clicked has changed since the reference, and if it matters."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, drift, features
from dashboard.queries import drift as queries
from dashboard.queries import findings
from dashboard.widgets import empty, panel, table

LIGHTS = (
    "Red only if a change is both beyond what no drift gives at these sample sizes (statistical) and large enough to "
    "matter (material). Red in two of three windows is a fail; in one it may be chance."
)


def page(context: Context) -> None:
    """Draw the page."""
    surfaces = read(context, queries.surfaces)
    with panel("Now", help=LIGHTS, key="watch"):
        if surfaces:
            surface = st.selectbox(
                "Surface", surfaces, key="surface", bind="query-params", width=240, help="Each has its own reference."
            )
            _watch(context, surface or surfaces[0])
        else:
            empty("No surface is declared.", "Declare one in the settings; then its traffic can be watched.")
    _audits(context)


def _watch(context: Context, surface: str) -> None:
    watch = read(context, queries.watch, surface=surface, now=context.now // 60_000_000 * 60_000_000)
    drift.verdicts(context, watch)
    rows = drift.rows(watch)
    if rows:
        drift.listed(rows)
        by_name = {f"{row['feature']} ({row['of']}, {row['origin']})": row for row in rows}
        name = st.selectbox("One feature", list(by_name), key="watched", width=420, help="The gravest first.")
        row = by_name.get(name or "", rows[0])
        features.detail(context, row, key="watched")
        drift.accept(context, watch, row)
    drift.refer(context, watch)


def _audits(context: Context) -> None:
    found = read(context, findings.audits, kind="drift")
    with panel(
        "Audits on demand",
        help="Each compares one window with another, over all rows, and keeps Evidently's report beside our figures.",
        key="verdict",
    ):
        audits.start(context, "drift", "Compares the first half of the imported log with the second, by feature.")
        if not found:
            empty("No drift audit has run.", "Start one above; it takes a minute or two.")
            return
        chosen = audits.choose(found, key="audit_drift")
        audits.head(context, chosen)
        rows = list(chosen.result.get("features", ()))
        if not rows:
            empty("This run holds no feature.", "See the job's error on the System page.")
            return
        table(
            [features.told(row) for row in rows],
            key="drift-table",
            alt="Features with their change, threshold and verdict",
        )
        by_name = {str(row["feature"]): row for row in rows}
        name = st.selectbox(
            "One feature", list(by_name), key="feature", bind="query-params", width=260, help="The gravest first."
        )
        features.detail(context, by_name.get(name or "", rows[0]), key="feature")
    with panel("Every audit", help="Each run is kept as it was; newest first.", key="trend"):
        audits.history(found, key="drift")
