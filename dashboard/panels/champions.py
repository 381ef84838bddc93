"""The version in service and those that wanted its place: evaluations with intervals, and the way back."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.panels.deciders import EVALUATED
from dashboard.queries.models import before, stands
from dashboard.text import ago, count, digits, safe, stamp
from dashboard.widgets import chart, empty, note, said, table
from storage.records.access import Scope
from storage.records.models import Standing

KINDS: Mapping[str, str] = {
    "gbdt": "boosted trees that rank",
    "linear_bandit": "linear bandit that ranks and explores",
    "factors": "item factors that find candidates",
    "hybrid": "factors with side information that find candidates",
    "content": "content vectors that find candidates",
    "sequences": "sequence embeddings that find candidates",
    "person": "forecast of a person",
    "plugin": "model of a plugin",
}
HELD = "After a rollback no version goes into service by itself; a person puts the next one in service."


def shown(found: Sequence[Standing]) -> Standing:
    """Return the version in service, or the newest where none serves."""
    return next((one for one in found if one.in_service), found[0])


def head(context: Context, found: Sequence[Standing], *, held: bool) -> None:
    """Draw what serves under a name, and offer the way back."""
    one, earlier = shown(found), before(found)
    with st.container(horizontal=True, vertical_alignment="center"):
        if one.in_service:
            st.badge("in service", icon=":material/check:", color="green")
        else:
            st.badge("not in service", icon=":material/pause:", color="gray")
        st.markdown(
            f"**{safe(one.model.name)}** {safe(one.model.version)}: {KINDS[one.model.kind]}, made "
            f"{ago(one.model.created_at, context.now)}"
            + (f", in service since {stamp(one.served_at, seconds=False)} UTC" if one.served_at else "")
        )
    if held:
        st.markdown(f":orange-badge[:material/front_hand: waits for a person] {HELD}")
    if earlier is None or not one.in_service:
        st.button(
            "Roll back",
            icon=":material/undo:",
            disabled=True,
            key="back-none",
            help="No other version of this model was in service before.",
        )
        return
    command(
        context,
        f"Roll back to {safe(earlier.model.version)}",
        path=f"/models/{one.model.name}/rollback",
        key="back",
        scope=Scope.POLICY_APPLY,
        icon=":material/undo:",
        what=f":red-badge[:material/warning: changes what everyone gets] Version {safe(one.model.version)} is taken "
        f"back, version {safe(earlier.model.version)} of {stamp(earlier.model.created_at, seconds=False)} UTC serves "
        f"again on every replica within a second. {HELD} No approval is needed; it stands in the ledger.",
    )


def evaluation(context: Context, found: Sequence[Standing]) -> None:
    """Draw how well the version in service does on the next slice of time, beside the one-line rule."""
    told = shown(found).model.evaluation
    if not told:
        empty("This version was not evaluated.", "A retraining evaluates the next one on the time that follows.")
        return
    said(EVALUATED.get(str(told.get("verdict")), "unknown"), safe(told.get("sentence", ""), limit=600))
    drawn = measured(told)
    if drawn is not None:
        metric = str(told.get("metric") or ("concordance" if "clicks" in told else "figure"))
        rival = told.get("rival_value")
        line = (rival, safe(told.get("rival", "rule"), "figure", limit=30)) if isinstance(rival, int | float) else None
        chart(
            estimates([drawn], context.look, title=f"{metric}, 95 % interval", reference=line, share=False),
            key="evaluation-chart",
            alt=f"{metric} {drawn.value:.4g}, 95 % {drawn.low:.4g} to {drawn.high:.4g}, rule {rival}",
            rows=lambda: [{key: value for key, value in told.items() if not isinstance(value, Mapping)}],
        )
    rules = told.get("rules")
    if isinstance(rules, Mapping):
        table(
            [_against(str(name), one) for name, one in rules.items() if isinstance(one, Mapping)],
            key="rules-table",
            alt="The model against every one-line rule, with intervals",
        )


def _against(name: str, one: Mapping[str, Any]) -> dict[str, object]:
    return {
        "one-line rule": name.replace("_", " "),
        "model": _figure(one.get("model")),
        "rule": _figure(one.get("rival_value")),
        "model is better by": _figure(one.get("difference")),
        "95 % interval": _interval(one),
        "verdict": str(one.get("verdict", "unknown")).replace("_", " "),
    }


def measured(told: Mapping[str, Any]) -> Estimate | None:
    """Return a version's own figure with its interval; None where one of them is unknown.

    >>> measured({"model": 0.7, "model_low": 0.6, "model_high": 0.8, "clicks": 93}).n
    93
    >>> measured({"model": None}) is None
    True
    """
    value, low, high = (told.get(key) for key in ("model", "model_low", "model_high"))
    if value is None or low is None or high is None:
        return None
    n = int(told.get("clicks") or told.get("people") or 0)
    return Estimate(name="model", value=float(value), low=float(low), high=float(high), n=n)


def challengers(context: Context, found: Sequence[Standing]) -> None:
    """Draw each version that was compared with the one in service at its time."""
    compared = [one for one in found if one.verdict is not None and _number(one.verdict.get("difference"))]
    if compared:
        newest = str((compared[0].verdict or {}).get("metric"))
        alike = [one for one in compared if str((one.verdict or {}).get("metric")) == newest][:12]
        drawn = [_difference(one) for one in alike]
        margin = float((alike[0].verdict or {}).get("margin") or 0.0)
        chart(
            estimates(drawn, context.look, title=f"difference in {newest}", reference=(-margin, "margin"), share=False),
            key="challengers-chart",
            alt="Challenger minus champion: " + ", ".join(f"{one.name} {one.value:+.4g}" for one in drawn),
            rows=lambda: [dict(one.verdict or {}) | {"version": one.model.version} for one in alike],
        )
    judged = [one for one in found if one.verdict is not None]
    if not judged:
        empty("No version of this model was compared with another yet.", "The next retraining does so.")
        return
    table(
        [
            {
                "challenger": one.model.version,
                "champion": (one.verdict or {}).get("against") or "none",
                "came of it": stands(one),
                "in words": str((one.verdict or {}).get("reason", "")),
                "difference": _figure((one.verdict or {}).get("difference")),
                "95 % interval": _interval(one.verdict or {}),
            }
            for one in judged
        ],
        key="challengers-table",
        alt="Every comparison of a version with the one in service, and what came of it",
    )
    waiting = sum(stands(one) == "waits" for one in judged)
    if waiting:
        note(f"{count(waiting)} of them could not be compared yet: outcomes younger than both trainings are needed.")


def _difference(one: Standing) -> Estimate:
    told = one.verdict or {}
    value = float(told["difference"])
    low, high = (float(told[key]) if _number(told.get(key)) else value for key in ("difference_low", "difference_high"))
    return Estimate(name=one.model.version[4:13], value=value, low=low, high=high, n=int(told.get("count") or 0))


def _number(value: object) -> bool:
    return isinstance(value, int | float)


def _figure(value: object) -> str:
    return digits(float(value), 3) if isinstance(value, int | float) else "–"


def _interval(told: Mapping[str, Any]) -> str:
    low, high = told.get("difference_low"), told.get("difference_high")
    return f"{_figure(low)} to {_figure(high)}" if _number(low) and _number(high) else "–"
