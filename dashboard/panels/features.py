"""Features of a drift audit: how far each has moved, and the bins of one."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.figures import bars
from dashboard.text import count, digits, percent, safe
from dashboard.widgets import VERDICTS, chart, empty, note, verdict

REST = "(other)"
"""The bin of values too rare for one of their own; it dwarfs the others."""


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
    of_all = list(zip(names, shares(before), shares(now), strict=True))
    listed = [one for one in of_all if one[0] != REST] if len(of_all) > 2 else of_all
    parts = [("reference", [one[1] for one in listed]), ("now", [one[2] for one in listed])]
    chart(
        bars.histogram([one[0] for one in listed], parts, context.look, title=str(row["feature"]), percent=True),
        key="feature-chart",
        alt=f"Shares of {row['feature']} by bin, reference and now",
        rows=lambda: [
            {"bin": name, "reference": old, "now": new} for name, old, new in zip(names, before, now, strict=True)
        ],
    )
    for _, old, new in (one for one in of_all if one not in listed):
        note(f"All other values together, not drawn: {percent(old, 3)} in the reference, {percent(new, 3)} now")
    note(
        f"n {count(row['n_reference'])} in the reference, {count(row['n_current'])} now · missing "
        f"{percent(row['missing_reference'])} before, {percent(row['missing_current'])} now · "
        f"{count(row['new_categories'])} new categories · red in {row['windows_red']} of {row['windows']} windows"
    )


def shares(counts: Sequence[int]) -> list[float]:
    """Return counts as shares of their sum."""
    total = sum(counts)
    return [n / total if total else 0.0 for n in counts]
