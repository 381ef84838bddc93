"""Who decides, and how far the model in service may be trusted."""

from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import bars
from dashboard.queries import deciders
from dashboard.text import count, digits, percent, safe, stamp
from dashboard.widgets import chart, empty, note, said, table
from storage.errors import Unavailable
from storage.records.access import Scope
from storage.records.clock import DAY
from storage.records.models import Calibration, ModelVersion

SAMPLE = 200
LONGEST = 400 * DAY
"""Control looks for decisions no farther back in one question."""
PROOF = {"proven": "pass", "unproven": "unknown", "uncalibrated": "unknown"}
EVALUATED = {"better": "pass", "no_better": "unknown", "worse": "warn"}


def who(context: Context) -> None:
    """Draw the versions in service: what ranks for them, and how the newest decisions fell to them."""
    found = read(context, deciders.deciders)
    if not found:
        empty("No policy is active: everyone gets the default experience.", "Draft one on the Policies page.")
        return
    sample: list[dict[str, Any]] = []
    if context.me.may(Scope.DECISION_READ):
        sample = _newest(context)
    counts = deciders.counted(sample)
    rows = []
    for one in found:
        n, own = counts.get((one.policy, one.version), (0, 0))
        row: dict[str, object] = {
            "policy": f"{one.policy} v{one.version}",
            "meant for": f"{one.percent:g} %{' of a segment' if one.segmented else ''}",
            "scorer": one.scorer,
            "model": one.model or "none",
        }
        rows.append(row | ({"newest decisions": n, "by its scorer": f"{own} of {n}" if n else "–"} if sample else {}))
    table(rows, key="deciders-table", alt="Versions in service with scorer, model and the newest decisions")
    if sample:
        rest = len(sample) - sum(n for n, _ in counts.values())
        note(f"Of the newest {count(len(sample))} decisions of the range {count(rest)} had no policy: the default.")


def _newest(context: Context) -> list[dict[str, Any]]:
    start = max(context.span.start, context.span.end - LONGEST)
    try:
        answer = context.control.get("/decisions", start=start, end=context.span.end, limit=SAMPLE)
    except Unavailable:
        note(":material/history: The newest decisions are not at hand: control does not answer.")
        return []
    found: list[dict[str, Any]] = answer["decisions"]
    return found


def proof(found: Calibration) -> str:
    """Say whether a model's confidence is proven, in trusted words.

    >>> proof(Calibration(clicked_impressions=93, outcomes_missing=3024))
    'Confidence is uncalibrated: 93 clicked impressions held out; about 3,024 more outcomes are needed'
    """
    n = f"{count(found.clicked_impressions)} clicked impressions held out"
    more = f"; about {count(found.outcomes_missing)} more outcomes are needed" if found.outcomes_missing else ""
    if found.status == "uncalibrated" or found.error is None:
        return f"Confidence is {found.status}: {n}{more}"
    error = f"calibration error {digits(found.error)}"
    if found.error_low is not None and found.error_high is not None:
        error += f" (95 % {digits(found.error_low)}–{digits(found.error_high)})"
    return f"Confidence is {found.status}: {error}, {n}{more}"


def model(context: Context, *, diagram: bool = True) -> None:
    """Draw of each model in service whether it ranks better than its rival and whether its confidence holds."""
    found = read(context, deciders.models)
    if not found:
        empty("No model is in service.", "`fairlead train` trains one from the lake.")
    for one in found.values():
        _one(context, one, diagram=diagram)


def _one(context: Context, one: ModelVersion, *, diagram: bool) -> None:
    st.markdown(f"**{safe(one.name)}**, trained {stamp(one.created_at, seconds=False)} UTC")
    sentence = one.evaluation.get("sentence") or "It was not compared with anything."
    said(EVALUATED.get(str(one.evaluation.get("verdict")), "unknown"), safe(sentence, limit=500))
    trust(context, one, diagram=diagram)


def trust(context: Context, one: ModelVersion, *, diagram: bool = True) -> None:
    """Draw whether what a version is sure of comes true; what tells no confidence says so."""
    if not one.members:
        empty("This model has no members that could disagree, so it tells no confidence.", "Ensembles that rank do.")
        return
    if one.kind == "person":
        said(PROOF[one.calibration.status], safe(one.evaluation.get("calibration") or "It tells no chance.", limit=400))
    else:
        said(PROOF[one.calibration.status], f"{proof(one.calibration)}.")
    bins = one.calibration.bins
    if diagram and bins:
        chart(
            bars.reliability([(bin_.predicted, bin_.observed, bin_.count) for bin_ in bins], context.look),
            key=f"reliability-{one.name}",
            alt=f"Reliability of {one.name}: "
            + ", ".join(f"said {percent(bin_.predicted)}, came {percent(bin_.observed)}" for bin_ in bins),
            rows=lambda: [{"said": bin_.predicted, "came": bin_.observed, "n": bin_.count} for bin_ in bins],
        )
