"""Creators and buyers: which viewers become customers of whom within the horizon."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.learning.acts import Acts, load_acts, needing, with_makers
from scoring_core.learning.forecasts import FEWEST_PEOPLE, Cuts, boost, cuts_of, draft, registered, unregistered
from scoring_core.learning.pairs import FEATURES, Pairs, joined, pairs_at
from scoring_core.learning.proof import clustered_interval, isotonic, log_losses, proof, words
from scoring_core.person import PersonModel
from scoring_core.scorers.protocol import Floats
from storage import catalogue
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.models import Calibration, ModelVersion

HORIZON_DAYS = 30.0
FEWEST_CUSTOMERS = 20
PRIOR = 20.0
TENTHS = np.linspace(0.0, 1.0, 11)[1:-1]

Rule = Callable[[Pairs, Pairs], Floats]
"""(pairs that it is counted on, pairs that it is asked of) → a probability of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creators:
    """A fitted model of viewers and creators, and how it compares on held-out time."""

    trees: str
    x: Floats
    y: Floats
    cuts: Cuts
    held_out: Pairs
    model: PersonModel
    evaluation: Mapping[str, Any]
    calibration: Calibration
    trained_on: int


def learn_creators(acts: Acts, *, horizon_days: float = HORIZON_DAYS, seed: int) -> Creators:
    """Fit on early cuts, calibrate on a later one, evaluate on the last.

    Raises
    ------
    Invalid
        If the log is too short, or holds too few people or customers.
    """
    needing(acts, people=FEWEST_PEOPLE, what="viewers and creators")
    cuts = cuts_of(acts, horizon_days)
    fit, middle, held_out = (
        joined([pairs_at(acts, cut, cut + cuts.horizon) for cut in at])
        for at in (cuts.fit, (cuts.calibrate,), (cuts.held_out,))
    )
    for each in (fit, middle, held_out):
        if each.outcome.sum() < FEWEST_CUSTOMERS:
            raise Invalid(
                f"too little to learn viewers and creators from: {int(each.outcome.sum())} became customers within a "
                f"horizon, {FEWEST_CUSTOMERS} are the least"
            )
    trees = boost(fit.features, fit.outcome, parameters={"objective": "binary"}, seed=seed, names=FEATURES)
    told = {"task": "creators", "horizon_days": cuts.horizon_days}
    x, y = isotonic(
        unregistered("creators", trees, parameters=told, features=FEATURES).raw(middle.features), middle.outcome
    )
    model = unregistered("creators", trees, parameters=told, x=x, y=y, features=FEATURES)
    said = model.tell(held_out.features)
    constant = float(middle.outcome.mean())
    calibration = proof(held_out.outcome, said, constant=constant, x=x, y=y, cluster=held_out.person)
    best = min(RULES, key=lambda name: log_losses(middle.outcome, RULES[name](fit, middle)).mean())
    compared = {
        name: against(held_out, said, rule(joined([fit, middle]), held_out), name) for name, rule in RULES.items()
    }
    return Creators(
        trees=trees,
        x=x,
        y=y,
        cuts=cuts,
        held_out=held_out,
        model=model,
        calibration=calibration,
        trained_on=len(fit.person) + len(middle.person),
        evaluation={
            **compared[best],
            "rules": compared,
            "people": len(np.unique(held_out.person)),
            "pairs": len(held_out.person),
            "creators": len(acts.makers),
            "outcome": f"a viewer buys from a creator within {cuts.horizon_days:.3g} days",
            "became": float(held_out.outcome.mean()),
            "predicted": float(said.mean()),
            "calibration": words(calibration),
        },
    )


def _base_rate(known: Pairs, asked: Pairs) -> Floats:
    width = int(max(known.maker.max(initial=0), asked.maker.max(initial=0))) + 1
    became = np.bincount(known.maker, weights=known.outcome, minlength=width)
    viewers = np.bincount(known.maker, minlength=width)
    rate: Floats = (became + PRIOR * known.outcome.mean()) / (viewers + PRIOR)
    return rate[asked.maker]


def _bought_before(known: Pairs, asked: Pairs) -> Floats:
    return _by_step(known, asked, "purchases_of_creator", np.array([0.5, 1.5, 2.5]))


def _looked_lately(known: Pairs, asked: Pairs) -> Floats:
    steps = np.quantile(known.column("recency_of_creator_days"), TENTHS)
    return _by_step(known, asked, "recency_of_creator_days", steps)


def _by_step(known: Pairs, asked: Pairs, name: str, steps: Floats) -> Floats:
    place = np.searchsorted(steps, known.column(name))
    became = np.bincount(place, weights=known.outcome, minlength=len(steps) + 1)
    count = np.bincount(place, minlength=len(steps) + 1)
    rate: Floats = (became + PRIOR * known.outcome.mean()) / (count + PRIOR)
    return rate[np.searchsorted(steps, asked.column(name))]


RULES: Mapping[str, Rule] = {
    "the creator's base rate": _base_rate,
    "bought from them before": _bought_before,
    "looked at them lately": _looked_lately,
}
"""The one-line rules, as probabilities counted on earlier cuts."""


def against(held_out: Pairs, said: Floats, rule: Floats, name: str) -> Mapping[str, Any]:
    """Compare with a rule by log loss, paired bootstrap over people."""
    ours, theirs = log_losses(held_out.outcome, said), log_losses(held_out.outcome, rule)
    better, low, high = clustered_interval(theirs - ours, held_out.person)
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
        f"{theirs.mean():.4f}, better by {better:+.4f} [{low:+.4f}, {high:+.4f}], {len(said):,} pairs.",
    }


def train_creators(
    database: Database, lake: Lake, home: Path, *, now: int, seed: int, origins: Sequence[str]
) -> ModelVersion:
    """Train, calibrate, evaluate and register a model of viewers and creators.

    Raises
    ------
    Invalid
        If no item names its creator, or the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    with database.read() as read:
        items = catalogue.load(read)
    acts, attribute = with_makers(load_acts(database, lake, now=now, origins=origins), items)
    found = learn_creators(acts, seed=seed)
    told = {"task": "creators", "horizon_days": found.cuts.horizon_days, "attribute": attribute}
    return registered(
        database,
        home,
        draft("creators", found.trees, now=now, parameters=told, x=found.x, y=found.y, features=FEATURES),
        cuts=found.cuts,
        evaluation=found.evaluation,
        calibration=found.calibration,
        seed=seed,
        origins=origins,
        people=found.trained_on,
    )
