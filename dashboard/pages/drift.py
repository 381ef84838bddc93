"""Drift: whether the audience has changed since the reference, and whether it matters."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import bars
from dashboard.panels import audits
from dashboard.queries import findings
from dashboard.text import count, digits, percent, safe
from dashboard.widgets import VERDICTS, chart, empty, note, panel, table, verdict


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, findings.audits, kind="drift")
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
        chosen = audits.choose(found, key="drift")
        audits.head(context, chosen)
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
        table([told(row) for row in rows], key="drift-table", alt="Features with their change, threshold and verdict")
    with panel("One feature", help="Shares of each bin in the reference and now.", key="feature"):
        by_name = {str(row["feature"]): row for row in rows}
        name = st.selectbox(
            "Feature", list(by_name), key="feature", bind="query-params", width=260, help="Largest change first."
        )
        detail(context, by_name.get(name or "", rows[0]))
    with panel("Every audit", help="Each run is kept as it was; newest first.", key="trend"):
        audits.history(found, key="drift")


def told(row: Mapping[str, Any]) -> dict[str, object]:
    """Return one feature as the table shows it."""
    chance = row.get("p")
    numbers = {name: "–" if row.get(name) is None else f"{float(row[name]):.4f}" for name in ("psi", "threshold")}
    return {
        "feature": row["feature"],
        "verdict": VERDICTS.get(str(row.get("verdict")), VERDICTS["unknown"])[1],
        **numbers,
        "p": "–" if chance is None else "< 0.001" if chance < 0.001 else digits(float(chance)),
        "beyond chance": "yes" if row.get("statistical") else "no",
        "material": "yes" if row.get("material") else "no",
        "n reference": count(row.get("n_reference")),
        "n now": count(row.get("n_current")),
    }


def detail(context: Context, row: Mapping[str, Any]) -> None:
    """Draw the bins of one feature."""
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict(str(row.get("verdict")))
        st.markdown(f"**{safe(row['feature'])}**")
    names, before, now = row["bins"], row["reference"], row["current"]
    if not names:
        empty("The bins of this feature were not kept.", "Run the audit again.")
        return
    parts = [("reference", shares(before)), ("now", shares(now))]
    chart(
        bars.histogram(names, parts, context.look, title=str(row["feature"]), percent=True),
        key="feature-chart",
        alt=f"Shares of {row['feature']} by bin, reference and now",
        rows=lambda: [
            {"bin": name, "reference": old, "now": new} for name, old, new in zip(names, before, now, strict=True)
        ],
    )
    note(
        f"n {count(row['n_reference'])} in the reference, {count(row['n_current'])} now · missing "
        f"{percent(row['missing_reference'])} before, {percent(row['missing_current'])} now · "
        f"{count(row['new_categories'])} new categories · red in {row['windows_red']} of {row['windows']} windows"
    )


def shares(counts: Sequence[int]) -> list[float]:
    """Return counts as shares of their sum."""
    total = sum(counts)
    return [n / total if total else 0.0 for n in counts]
