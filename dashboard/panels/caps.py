"""Caps as a table, one of them to change, and what fair exposure costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.queries.caps import Exposure
from dashboard.text import count, percent, safe
from dashboard.widgets import empty, note, said, table
from governance.cap_effects import CapEffect

NEW = "a new cap"


def listed(views: Sequence[Mapping[str, Any]], effects: Mapping[str, CapEffect]) -> None:
    """Draw what every cap says, where it holds, and how often it held something back."""
    table([_row(view, effects.get(view["name"])) for view in views], key="caps-table", alt="Frequency caps and effect")
    over = sum(one.overserved for one in effects.values())
    blind = sum(one.uncounted for one in effects.values())
    if over:
        said(
            "fail",
            f"{count(over)} decided impressions went above a cap: their decisions could not know the person, since "
            "consent was not readable in time, or the cap is younger than the decision, or a report came late.",
        )
    elif effects:
        said("pass", "No decided impression went above a cap in this range.")
    if blind:
        said(
            "warn",
            f"In {count(blind)} cases nobody could count, since the shared store did not answer; each policy's "
            "`when_uncounted` said what was served.",
        )
    for view in views:
        if view["behind"]:
            note(f"{safe(view['name'])} never holds anything back: {safe(view['behind'])} is stricter.")


def _row(view: Mapping[str, Any], effect: CapEffect | None) -> Mapping[str, Any]:
    cap = view["cap"]
    held = effect.held_back if effect else 0
    return {
        "cap": view["name"],
        "held back": held,
        "share": percent(held / effect.checked) if effect and effect.checked else "–",
        "what it says": view["sentence"],
        "surfaces": ", ".join(cap["surfaces"]) or "all",
        "campaigns": ", ".join(cap["campaigns"]) or "all",
        "set in": view["level"],
        "decisions": effect.checked if effect else 0,
        "not counted": effect.uncounted if effect else 0,
        "above": effect.overserved if effect else 0,
    }


def choose(views: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Offer the installation's own caps to change; None for a new one."""
    by_name = {view["name"]: view for view in views}
    name = st.selectbox(
        "Cap",
        [NEW, *by_name],
        key="cap",
        width=260,
        help="Caps of policies and campaigns are changed with the policy or the campaign.",
    )
    return by_name.get(name or NEW)


def exposure(found: Sequence[Exposure]) -> None:
    """Draw what the constraint on exposure costs, by policy version."""
    if not found:
        empty(
            "No policy in service asks for fair exposure.",
            'A version with `"rerank": {"attribute": "brand", "share": 0.8}` gives every brand 80 % of what is due.',
        )
        return
    table(
        [
            {
                "policy": f"{one.policy} v{one.version}",
                "NDCG given up": "unknown" if one.mean is None else percent(one.mean, 3),
                "groups by": one.attribute,
                "share due": percent(one.share),
                "decisions": one.decisions,
                "order changed": percent(one.changed / one.decisions) if one.decisions else "–",
                "p95": "–" if one.p95.value is None else percent(one.p95.value, 3),
            }
            for one in found
        ],
        key="exposure-table",
        alt="What fair exposure costs by policy version",
    )
    note(
        "Measured in every decision on the model's own scores: 1 − NDCG after ÷ NDCG before. It says what the model "
        "would have preferred, not what people would have clicked; versions of one policy are counted together."
    )
