"""The next action: what a person does first within the horizon, if anything."""

from collections.abc import Mapping, Sequence
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
from scoring_core.learning.people import FEATURES, features_at
from scoring_core.learning.proof import mean_interval, proof, words
from scoring_core.person import PersonModel
from scoring_core.scorers.protocol import Floats
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.models import Calibration, ModelVersion

HORIZON_DAYS = 7.0
NOTHING = "nothing"
MOST_CLASSES = 8
LEAST = 1e-6
SHARE, LAST = "share.", "last."
DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """A fitted model of the next action, and how it compares on held-out people."""

    trees: str
    classes: tuple[str, ...]
    cuts: Cuts
    held_out: Period
    model: PersonModel
    evaluation: Mapping[str, Any]
    calibration: Calibration
    trained_on: int


def classes_of(acts: Acts) -> tuple[str, ...]:
    """Return what may come next: nothing, or one of the types done most."""
    often = np.argsort(-np.bincount(acts.type, minlength=len(acts.types)), kind="stable")[:MOST_CLASSES]
    return (NOTHING, *(acts.types[place] for place in often.tolist()))


def first_after(acts: Acts, start: int, end: int, people: Whole, classes: tuple[str, ...]) -> Floats:
    """Return the place in ``classes`` of what each does first from ``start`` until ``end``; what is not listed there is
    passed over."""
    later = acts.between(start, end)
    place = np.array([classes.index(name) if name in classes else 0 for name in acts.types], dtype=np.int64)
    code = place[later.type] if len(later) else later.type
    who, at = np.unique(later.person[code > 0], return_index=True)
    found = np.zeros(acts.people)
    found[who] = code[code > 0][at]
    return found[people]


def habits_at(acts: Acts, at: int, people: Whole, classes: tuple[str, ...]) -> Floats:
    """Return per class its share of the last 30 days' acts, then whether it was the last act: people × 2 classes."""
    width = len(classes)
    place = np.array([classes.index(name) if name in classes else 0 for name in acts.types], dtype=np.int64)
    past, lately = acts.between(0, at), acts.between(at - DAYS * DAY, at)
    counts = np.zeros((acts.people, width))
    if len(lately):
        np.add.at(counts, (lately.person, place[lately.type]), 1.0)
    last = np.zeros((acts.people, width))
    if len(past):
        latest = np.zeros(acts.people, dtype=np.int64)
        latest[past.person] = place[past.type]
        last[np.arange(acts.people), latest] = 1.0
    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
    return np.concatenate([shares, last], axis=1)[people]


def features_with_habits(acts: Acts, at: int, people: Whole, classes: tuple[str, ...]) -> Floats:
    """Return the features that a model of these classes reads."""
    return np.concatenate([features_at(acts, at, people), habits_at(acts, at, people, classes)], axis=1)


def features_of(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a model's features: those of people, then those of habits."""
    return (*FEATURES, *(SHARE + name for name in classes), *(LAST + name for name in classes))


def learn_next_action(acts: Acts, *, horizon_days: float = HORIZON_DAYS, seed: int) -> NextAction:
    """Fit on early cuts, evaluate on the last.

    Raises
    ------
    Invalid
        If the log is too short or holds too few people.
    """
    needing(acts, people=FEWEST_PEOPLE, what="the next action")
    cuts, classes = cuts_of(acts, horizon_days), classes_of(acts)

    def look(moments: Sequence[int]) -> Period:
        found = period(
            acts,
            moments,
            cuts.horizon,
            lambda told, start, end, who: first_after(told, start, end, who, classes),
            lambda told, at, who: features_with_habits(told, at, who, classes),
        )
        enough(found, "the next action")
        return found

    fit, held_out = look((*cuts.fit, cuts.calibrate)), look((cuts.held_out,))
    names = features_of(classes)
    asked = {"objective": "multiclass", "num_class": len(classes)}
    trees = boost(fit.features, fit.outcome, parameters=asked, seed=seed, names=names)
    told = {"task": "next_action", "horizon_days": cuts.horizon_days, "classes": list(classes)}
    model = unregistered("next_action", trees, parameters=told, features=names)
    said = model.tell(held_out.features)
    ruled = {name: rule(fit, held_out, len(classes)) for name, rule in RULES.items()}
    compared = {name: against(held_out.outcome, said, rule, name) for name, rule in ruled.items()}
    best = min(RULES, key=lambda name: losses_of(fit.outcome, RULES[name](fit, fit, len(classes))).mean())
    top = said.argmax(axis=1)
    right = (top == held_out.outcome).astype(np.float64)
    nothing = np.empty(0)
    calibration = proof(right, said.max(axis=1), constant=float(right.mean()), x=nothing, y=nothing)
    return NextAction(
        trees=trees,
        classes=classes,
        cuts=cuts,
        held_out=held_out,
        model=model,
        calibration=calibration,
        trained_on=len(fit.people),
        evaluation={
            **compared[best],
            "rules": compared,
            "people": len(held_out.people),
            "outcome": f"the first act in {cuts.horizon_days:.3g} days",
            "right": float(right.mean()),
            "classes": {
                name: {"predicted": float(said[:, at].mean()), "observed": float((held_out.outcome == at).mean())}
                for at, name in enumerate(classes)
            },
            "calibration": words(calibration),
        },
    )


def _everyone(fit: Period, asked: Period, width: int) -> Floats:
    shares = np.bincount(fit.outcome.astype(np.int64), minlength=width) + 1.0
    return np.tile(shares / shares.sum(), (len(asked.people), 1))


def _after_last(fit: Period, asked: Period, width: int) -> Floats:
    moves = np.ones((width, width))
    np.add.at(moves, (_last(fit, width), fit.outcome.astype(np.int64)), 1.0)
    shares: Floats = (moves / moves.sum(axis=1, keepdims=True))[_last(asked, width)]
    return shares


def _last(found: Period, width: int) -> Whole:
    return np.asarray(found.features[:, -width:].argmax(axis=1), dtype=np.int64)


def _by_recency(fit: Period, asked: Period, width: int) -> Floats:
    edges = np.quantile(fit.column("recency_days"), np.linspace(0.0, 1.0, 11)[1:-1])
    moves = np.ones((len(edges) + 1, width))
    np.add.at(moves, (np.searchsorted(edges, fit.column("recency_days")), fit.outcome.astype(np.int64)), 1.0)
    shares: Floats = (moves / moves.sum(axis=1, keepdims=True))[np.searchsorted(edges, asked.column("recency_days"))]
    return shares


RULES = {"what everyone does": _everyone, "what follows the last act": _after_last, "last seen": _by_recency}
"""The one-line rules, as probabilities counted on the fitting cuts."""


def against(outcome: Floats, said: Floats, rule: Floats, name: str) -> Mapping[str, Any]:
    """Compare with a rule by log loss, paired bootstrap over people."""
    ours, theirs = losses_of(outcome, said), losses_of(outcome, rule)
    better, low, high = mean_interval(theirs - ours)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no_better"
    begins = {"better": "Better than", "worse": "Worse than", "no_better": "Not shown to be better than"}[verdict]
    return {
        "rival": name,
        "model": float(ours.mean()),
        "rival_value": float(theirs.mean()),
        "difference": better,
        "difference_low": low,
        "difference_high": high,
        "verdict": verdict,
        "sentence": f"{begins} the rule “{name}” on held-out time: log loss {ours.mean():.4f} against "
        f"{theirs.mean():.4f}, better by {better:+.4f} [{low:+.4f}, {high:+.4f}], {len(outcome):,} people.",
    }


def losses_of(outcome: Floats, said: Floats) -> Floats:
    """Return the log loss of each person's probabilities."""
    chosen: Floats = said[np.arange(len(outcome)), outcome.astype(np.int64)]
    return -np.log(np.maximum(chosen, LEAST))


def train_next_action(
    database: Database, lake: Lake, home: Path, *, now: int, seed: int, origins: Sequence[str]
) -> ModelVersion:
    """Train, evaluate and register a model of the next action.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    found = learn_next_action(load_acts(database, lake, now=now, origins=origins), seed=seed)
    told = {"task": "next_action", "horizon_days": found.cuts.horizon_days, "classes": list(found.classes)}
    return registered(
        database,
        home,
        draft("next_action", found.trees, now=now, parameters=told, features=found.model.features),
        cuts=found.cuts,
        evaluation=found.evaluation,
        calibration=found.calibration,
        seed=seed,
        origins=origins,
        people=found.trained_on,
    )
