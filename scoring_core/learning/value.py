"""Lifetime value: what a person is expected to spend within the horizon."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.learning.acts import Acts, Whole, load_acts, needing
from scoring_core.learning.forecasts import (
    FEWEST_PEOPLE,
    Cuts,
    Period,
    boost,
    cuts_of,
    draft,
    enough,
    period,
    registered,
    unregistered,
)
from scoring_core.learning.proof import ENDS, mean_interval
from scoring_core.person import PersonModel
from scoring_core.scorers.protocol import Floats
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.models import ModelVersion

HORIZON_DAYS = 30.0
PARAMETERS: Mapping[str, Any] = {"objective": "tweedie", "tweedie_variance_power": 1.5}
"""The compound Poisson-gamma that many zeros and few large amounts call for (Jørgensen, 1987)."""
MOST = 1e12
REPLICATES = 300

RULES: Mapping[str, Callable[[Period, float], Floats]] = {
    "spend so far, at its pace": lambda found, days: (
        found.column("spend") / np.maximum(found.column("tenure_days"), days) * days
    ),
    "spend of the last 90 days": lambda found, days: found.column("spend_90") / 90.0 * days,
    "mean spend per purchase": lambda found, _days: found.column("spend_per_purchase"),
}
"""The one-line rules (recency, frequency, money); each is scaled to the spend of the calibrating cut, as the model is.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A fitted model of value, and how it compares on held-out people."""

    trees: str
    x: Floats
    y: Floats
    cuts: Cuts
    held_out: Period
    model: PersonModel
    evaluation: Mapping[str, Any]
    trained_on: int


def spent(acts: Acts, start: int, end: int, people: Whole) -> Floats:
    """Return what each spends from ``start`` until ``end``."""
    later = acts.between(start, end)
    total = np.bincount(later.person, weights=later.value, minlength=acts.people).astype(np.float64)
    return np.asarray(total[people], dtype=np.float64)


def learn_value(acts: Acts, *, horizon_days: float = HORIZON_DAYS, seed: int) -> Value:
    """Fit on early cuts, scale on a later one, evaluate on the last.

    Raises
    ------
    Invalid
        If the log is too short, holds too few people, or nobody spends anything.
    """
    needing(acts, people=FEWEST_PEOPLE, what="value")
    cuts = cuts_of(acts, horizon_days)
    fit, middle, held_out = (
        period(acts, at, cuts.horizon, spent) for at in (cuts.fit, (cuts.calibrate,), (cuts.held_out,))
    )
    for each in (fit, middle, held_out):
        enough(each, "value")
        if not each.outcome.any():
            raise Invalid("too little to learn value from: nobody spent anything within a horizon")
    trees = boost(fit.features, fit.outcome, parameters=PARAMETERS, seed=seed)
    told = {"task": "value", "horizon_days": cuts.horizon_days}
    raw = unregistered("value", trees, parameters=told).raw(middle.features)
    x = np.array([0.0, MOST])
    y = x * middle.outcome.sum() / raw.sum()
    model = unregistered("value", trees, parameters=told, x=x, y=y)
    said = model.tell(held_out.features)
    ruled = {rule: _scaled(rule, middle, held_out, cuts.horizon_days) for rule in RULES}
    best = min(RULES, key=lambda rule: np.abs(_scaled(rule, middle, middle, cuts.horizon_days) - middle.outcome).mean())
    compared = {rule: against(held_out.outcome, said, ruled[rule], rule) for rule in RULES}
    return Value(
        trees=trees,
        x=x,
        y=y,
        cuts=cuts,
        held_out=held_out,
        model=model,
        trained_on=len(fit.people) + len(middle.people),
        evaluation={
            **compared[best],
            "rules": compared,
            "people": len(held_out.people),
            "outcome": f"spend in {cuts.horizon_days:.3g} days",
            "spent": float(held_out.outcome.mean()),
            "predicted": float(said.mean()),
            "top_tenth": _top_tenth(held_out.outcome, said),
            "top_tenth_rule": _top_tenth(held_out.outcome, ruled[best]),
        },
    )


def against(outcome: Floats, said: Floats, rule: Floats, name: str) -> Mapping[str, Any]:
    """Compare with a rule by mean absolute error (per person) and by rank correlation, paired bootstrap over people."""
    better, low, high = mean_interval(np.abs(rule - outcome) - np.abs(said - outcome))
    ours, theirs = float(np.abs(said - outcome).mean()), float(np.abs(rule - outcome).mean())
    rank, rank_rule, rank_low, rank_high = _ranks(outcome, said, rule)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no_better"
    words = {"better": "Better than", "worse": "Worse than", "no_better": "Not shown to be better than"}[verdict]
    return {
        "rival": name,
        "model": ours,
        "rival_value": theirs,
        "difference": better,
        "difference_low": low,
        "difference_high": high,
        "rank": rank,
        "rank_rule": rank_rule,
        "rank_difference_low": rank_low,
        "rank_difference_high": rank_high,
        "verdict": verdict,
        "sentence": f"{words} the rule “{name}” on held-out time: off by {ours:,.1f} per person on average against "
        f"{theirs:,.1f}, better by {better:+,.1f} [{low:+,.1f}, {high:+,.1f}]; rank correlation {rank:.3f} against "
        f"{rank_rule:.3f} [{rank_low:+.3f}, {rank_high:+.3f}], {len(outcome):,} people.",
    }


def _ranks(outcome: Floats, said: Floats, rule: Floats) -> tuple[float, float, float, float]:
    from scipy.stats import rankdata

    truth, ours, theirs = (rankdata(each) for each in (outcome, said, rule))
    rng = np.random.Generator(np.random.PCG64(0))

    def correlation(values: Floats, rows: Whole) -> float:
        return float(np.corrcoef(values[rows], truth[rows])[0, 1])

    drawn = (rng.integers(0, len(truth), len(truth)) for _ in range(REPLICATES))
    apart = [correlation(ours, rows) - correlation(theirs, rows) for rows in drawn]
    low, high = np.percentile(apart, ENDS).tolist()
    everyone = np.arange(len(truth))
    return correlation(ours, everyone), correlation(theirs, everyone), low, high


def _scaled(rule: str, middle: Period, asked: Period, days: float) -> Floats:
    scale = middle.outcome.sum() / max(float(RULES[rule](middle, days).sum()), 1e-9)
    values: Floats = RULES[rule](asked, days) * scale
    return values


def _top_tenth(outcome: Floats, said: Floats) -> float:
    """Return which share of all spend the tenth with the highest forecast accounts for."""
    first = np.argsort(-said, kind="stable")[: max(1, len(said) // 10)]
    return float(outcome[first].sum() / outcome.sum())


def train_value(
    database: Database, lake: Lake, home: Path, *, now: int, seed: int, origins: Sequence[str]
) -> ModelVersion:
    """Train, scale, evaluate and register a model of value.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    found = learn_value(load_acts(database, lake, now=now, origins=origins), seed=seed)
    told = {"task": "value", "horizon_days": found.cuts.horizon_days}
    return registered(
        database,
        home,
        draft("value", found.trees, now=now, parameters=told, x=found.x, y=found.y),
        cuts=found.cuts,
        evaluation=found.evaluation,
        seed=seed,
        origins=origins,
        people=found.trained_on,
    )
