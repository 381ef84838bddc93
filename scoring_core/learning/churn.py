"""Churn: who will do nothing that counts within the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.learning.acts import Acts, Whole, load_acts, needing
from scoring_core.learning.evaluate import Z95, concordance
from scoring_core.learning.forecasts import (
    FEWEST_PEOPLE,
    Cuts,
    Label,
    Period,
    boost,
    cuts_of,
    draft,
    enough,
    period,
    registered,
    unregistered,
)
from scoring_core.learning.proof import isotonic, proof, words
from scoring_core.person import PersonModel
from scoring_core.scorers.protocol import Floats
from storage.database import Database
from storage.lake import Lake
from storage.records.models import Calibration, ModelVersion

HORIZON_DAYS = 30.0
RULES: Mapping[str, str] = {
    "last seen": "recency_days",
    "frequency": "visits",
    "mean spend": "spend_per_purchase",
}
"""The one-line rules, and the feature that each goes by; who is seen less, or buys less, is likelier to be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """A fitted model of churn, what it says of held-out people, and how that compares."""

    trees: str
    x: Floats
    y: Floats
    cuts: Cuts
    held_out: Period
    model: PersonModel
    evaluation: Mapping[str, Any]
    calibration: Calibration
    trained_on: int


def label_of(acts: Acts) -> tuple[str, Label]:
    """Return what counts in a log, and the label: doing none of it. It is purchases where half of all people made one,
    else any act."""
    buyers = len(np.unique(acts.person[acts.committed]))
    return ("purchase", lost_buyer) if buyers * 2 >= acts.people else ("activity", lost_visitor)


def lost_buyer(acts: Acts, start: int, end: int, people: Whole) -> Floats:
    """Return 1 for who makes no purchase from ``start`` until ``end``."""
    later = acts.between(start, end)
    return 1.0 - np.isin(people, later.person[later.committed]).astype(np.float64)


def lost_visitor(acts: Acts, start: int, end: int, people: Whole) -> Floats:
    """Return 1 for who does nothing from ``start`` until ``end``."""
    return 1.0 - np.isin(people, acts.between(start, end).person).astype(np.float64)


def learn_churn(acts: Acts, *, horizon_days: float = HORIZON_DAYS, seed: int) -> Churn:
    """Fit on early cuts, calibrate on a later one, evaluate on the last.

    Raises
    ------
    Invalid
        If the log is too short or holds too few people.
    """
    needing(acts, people=FEWEST_PEOPLE, what="churn")
    cuts = cuts_of(acts, horizon_days)
    outcome, label = label_of(acts)
    fit, middle, held_out = (
        period(acts, at, cuts.horizon, label) for at in (cuts.fit, (cuts.calibrate,), (cuts.held_out,))
    )
    for each in (fit, middle, held_out):
        enough(each, "churn")
    trees = boost(fit.features, fit.outcome, parameters={"objective": "binary"}, seed=seed)
    told = {"task": "churn", "horizon_days": cuts.horizon_days, "outcome": outcome}
    x, y = isotonic(unregistered("churn", trees, parameters=told).raw(middle.features), middle.outcome)
    model = unregistered("churn", trees, parameters=told, x=x, y=y)
    predicted = model.tell(held_out.features)
    calibration = proof(held_out.outcome, predicted, constant=float(middle.outcome.mean()), x=x, y=y)
    best = max(RULES, key=lambda rule: _auc(middle, [_by_rule(middle, rule)])[0][0])
    compared = {rule: against(held_out, model.raw(held_out.features), rule) for rule in RULES}
    return Churn(
        trees=trees,
        x=x,
        y=y,
        cuts=cuts,
        held_out=held_out,
        model=model,
        calibration=calibration,
        trained_on=len(fit.people) + len(middle.people),
        evaluation={
            **compared[best],
            "rules": compared,
            "people": len(held_out.people),
            "churned": float(held_out.outcome.mean()),
            "predicted": float(predicted.mean()),
            "outcome": f"no {outcome} in {cuts.horizon_days:.3g} days",
            "calibration": words(calibration),
        },
    )


def against(held_out: Period, said: Floats, rule: str) -> Mapping[str, Any]:
    """Compare the model with a one-line rule: how often who is lost scores above who is not (AUC), DeLong's interval of
    the paired difference."""
    (auc, other), covariance = _auc(held_out, [said, _by_rule(held_out, rule)])
    difference = float(auc - other)
    own = Z95 * sqrt(covariance[0, 0])
    reach = Z95 * sqrt(max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])))
    low, high = difference - reach, difference + reach
    verdict = "unknown" if np.isnan(difference) else "better" if low > 0 else "worse" if high < 0 else "no_better"
    said_so = {
        "better": "Better than",
        "worse": "Worse than",
        "no_better": "Not shown to be better than",
        "unknown": "Cannot be compared with",
    }
    return {
        "rival": rule,
        "model": float(auc),
        "model_low": float(auc) - own,
        "model_high": min(float(auc) + own, 1.0),
        "rival_value": float(other),
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "verdict": verdict,
        "sentence": f"{said_so[verdict]} the rule “{rule}” on held-out time: AUC {auc:.3f} against {other:.3f}, "
        f"difference {difference:+.3f} [{low:+.3f}, {high:+.3f}], {len(held_out.people):,} people.",
    }


def _auc(held_out: Period, scores: Sequence[Floats]) -> tuple[Floats, Floats]:
    same = np.zeros(len(held_out.people), dtype=np.int64)
    found = concordance(held_out.outcome > 0.5, scores, weight=np.ones(len(same)), stratum=same)
    return found.values, found.covariance


def _by_rule(held_out: Period, rule: str) -> Floats:
    values = held_out.column(RULES[rule])
    return values if rule == "last seen" else -values


def train_churn(
    database: Database, lake: Lake, home: Path, *, now: int, seed: int, origins: Sequence[str]
) -> ModelVersion:
    """Train, calibrate, evaluate and register a model of churn.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    acts = load_acts(database, lake, now=now, origins=origins)
    found = learn_churn(acts, seed=seed)
    told = {
        "task": "churn",
        "horizon_days": found.cuts.horizon_days,
        "outcome": label_of(acts)[0],
    }
    return registered(
        database,
        home,
        draft("churn", found.trees, now=now, parameters=told, x=found.x, y=found.y),
        cuts=found.cuts,
        evaluation=found.evaluation,
        calibration=found.calibration,
        seed=seed,
        origins=origins,
        people=found.trained_on,
    )
