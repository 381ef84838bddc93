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


METHODS: Mapping[str, str] = {
    "psi_deciles": "PSI, deciles",
    "psi_levels": "PSI, levels",
    "psi": "PSI, equal widths",
    "chisquare": "χ² distance",
    "ks": "Kolmogorov–Smirnov",
    "wasserstein": "Wasserstein / sd",
    "jensenshannon": "Jensen–Shannon",
    "rate": "log rate ratio",
}
LIGHTS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "–"}
MOST_BINS = 20


def told(row: Mapping[str, Any]) -> dict[str, object]:
    """Return one feature as the table shows it."""
    chance = row.get("p_value", row.get("p"))
    weight = row.get("importance")
    effect = row.get("effect", row.get("psi"))
    numbers = {"change": effect, "threshold": row.get("threshold")}
    accepted = " (accepted)" if row.get("accepted") else ""
    return {
        "feature": row["feature"],
        "verdict": VERDICTS.get(str(row.get("verdict")), VERDICTS["unknown"])[1] + accepted,
        **{name: "–" if value is None else f"{float(value):.4f}" for name, value in numbers.items()},
        "measure": METHODS.get(str(row.get("method", "psi_levels")), "–"),
        "p": "–" if chance is None else "< 0.001" if chance < 0.001 else digits(float(chance)),
        "beyond chance": LIGHTS[row.get("statistical")],
        "material": LIGHTS[row.get("material")],
        "weight in ranker": "–" if weight is None else percent(float(weight)),
        "n reference": count(row.get("n_reference")),
        "n now": count(row.get("n_current")),
    }


def detail(context: Context, row: Mapping[str, Any], *, key: str) -> None:
    """Draw the bins of one feature: of many, those that changed most."""
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict(str(row.get("verdict")))
        st.markdown(f"**{safe(row['feature'])}**")
    names, before, now = row["bins"], row["reference"], row["current"]
    if not names:
        empty("The bins of this feature were not kept.", "Run the audit again.")
        return
    of_all = list(zip(names, shares(before), shares(now), strict=True))
    listed = [one for one in of_all if one[0] != REST] if len(of_all) > 2 else of_all
    least = sorted((abs(one[2] - one[1]) for one in listed), reverse=True)[:MOST_BINS][-1]
    listed = [one for one in listed if abs(one[2] - one[1]) >= least][:MOST_BINS]
    parts = [("reference", [one[1] for one in listed]), ("now", [one[2] for one in listed])]
    chart(
        bars.histogram([one[0] for one in listed], parts, context.look, title=str(row["feature"]), percent=True),
        key=f"{key}-chart",
        alt=f"Shares of {row['feature']} by bin, reference and now",
        rows=lambda: [
            {"bin": name, "reference": old, "now": new} for name, old, new in zip(names, before, now, strict=True)
        ],
    )
    rest = [one for one in of_all if one not in listed]
    if rest:
        old, new = (sum(one[side] for one in rest) for side in (1, 2))
        note(f"All other values together, not drawn: {percent(old, 3)} in the reference, {percent(new, 3)} now")
    note(
        f"n {count(row['n_reference'])} in the reference, {count(row['n_current'])} now · missing "
        f"{percent(row['missing_reference'])} before, {percent(row['missing_current'])} now · "
        f"{count(row['new_categories'])} new values · red in {row['windows_red']} of {row['windows']} windows"
    )


def shares(counts: Sequence[int]) -> list[float]:
    """Return counts as shares of their sum."""
    total = sum(counts)
    return [n / total if total else 0.0 for n in counts]
