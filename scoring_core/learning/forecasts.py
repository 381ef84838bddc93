"""What the forecasts of people share: rolling cuts, the table of people at each, boosted trees, registration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.learning.acts import Acts, Whole
from scoring_core.learning.people import FEATURES, features_at, known_at
from scoring_core.models import Arrays, digest_of, write_arrays
from scoring_core.person import PersonModel, person_model
from scoring_core.scorers.protocol import Floats
from storage import registry
from storage.database import Database
from storage.errors import Invalid
from storage.records.clock import DAY, iso, moment
from storage.records.models import Calibration, ModelVersion

MOST_CUTS = 6
FEWEST_PEOPLE = 100
PARAMETERS: Mapping[str, Any] = {
    "num_leaves": 7,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
TREES = 150

Label = Callable[[Acts, int, int, Whole], Floats]
"""(acts, from, until, people) → what came of each."""
Describe = Callable[[Acts, int, Whole], Floats]
"""(acts, at, people) → features of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The moments at which people are looked at: to ``fit`` trees, to ``calibrate`` them, and the one that is
    ``held_out``. What is asked happens within ``horizon`` after each, and never reaches over a later kind's cut."""

    fit: tuple[int, ...]
    calibrate: int
    held_out: int
    horizon: int

    @property
    def horizon_days(self) -> float:
        """The horizon in days."""
        return self.horizon / DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """People at one or several cuts: who, ``FEATURES`` of each, and what came of it."""

    people: Whole
    features: Floats
    outcome: Floats

    def column(self, name: str) -> Floats:
        """Return one feature, 0 where it does not exist."""
        return np.nan_to_num(self.features[:, FEATURES.index(name)], nan=0.0)


def cuts_of(acts: Acts, horizon_days: float) -> Cuts:
    """Return the cuts of a log: the last horizon is held out, the one before calibrates, earlier ones fit.

    A log too short for the horizon gets a shorter one: a sixth of what there is.

    Raises
    ------
    Invalid
        If the log is shorter than six hours.
    """
    if acts.span_days() < 0.25:
        raise Invalid("too little to learn from: people's acts have to span six hours at least")
    first, until = int(acts.at[0]), int(acts.at[-1]) + 1
    horizon = min(int(horizon_days * DAY), (until - first) // 6)
    held_out = until - horizon
    calibrate = held_out - horizon
    starts = (calibrate - horizon - step * (horizon // 2) for step in range(MOST_CUTS))
    return Cuts(
        fit=tuple(start for start in starts if start - first >= horizon),
        calibrate=calibrate,
        held_out=held_out,
        horizon=horizon,
    )


def period(acts: Acts, at: Sequence[int], horizon: int, label: Label, describe: Describe = features_at) -> Period:
    """Return the table of people at each of the moments, one below the other."""
    people = [known_at(acts, cut) for cut in at]
    return Period(
        people=np.concatenate(people),
        features=np.concatenate([describe(acts, cut, who) for cut, who in zip(at, people, strict=True)]),
        outcome=np.concatenate([label(acts, cut, cut + horizon, who) for cut, who in zip(at, people, strict=True)]),
    )


def enough(found: Period, what: str) -> None:
    """Refuse a table with too few people.

    Raises
    ------
    Invalid
        With how many there are and how many it takes.
    """
    if len(found.people) < FEWEST_PEOPLE:
        raise Invalid(
            f"too little to learn {what} from: {len(found.people)} people at a cut, {FEWEST_PEOPLE} are the least"
        )


def boost(
    features: Floats, outcome: Floats, *, parameters: Mapping[str, Any], seed: int, names: Sequence[str] = FEATURES
) -> str:
    """Fit boosted trees; return their text model."""
    import lightgbm

    asked = {**PARAMETERS, **parameters, "seed": seed}
    data = lightgbm.Dataset(features, outcome, feature_name=list(names), params=asked)
    text: str = lightgbm.train(asked, data, num_boost_round=TREES).model_to_string()
    return text


def draft(
    name: str,
    trees: str,
    *,
    now: int,
    parameters: Mapping[str, Any],
    x: Floats | None = None,
    y: Floats | None = None,
    features: tuple[str, ...] = FEATURES,
) -> tuple[ModelVersion, Arrays]:
    """Return an unregistered version of kind ``person`` and its arrays."""
    nothing = np.empty(0)
    arrays: Arrays = {
        "trees": np.frombuffer(trees.encode(), dtype=np.uint8),
        "x": nothing if x is None else x,
        "y": nothing if y is None else y,
    }
    number = f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"
    model = ModelVersion(
        name=name,
        version=number,
        kind="person",
        created_at=now,
        path=f"models/{name}/{number}",
        digest=digest_of(arrays),
        features=features,
        members=1,
        trees=trees.count("Tree="),
        parameters=parameters,
    )
    return model, arrays


def unregistered(name: str, trees: str, **told: Any) -> PersonModel:
    """Return a fitted model that nobody registered yet."""
    return person_model(*draft(name, trees, now=0, **told))


def registered(
    database: Database,
    home: Path,
    made: tuple[ModelVersion, Arrays],
    *,
    cuts: Cuts,
    evaluation: Mapping[str, Any],
    calibration: Calibration | None = None,
    seed: int,
    origins: Sequence[str],
    people: int,
) -> ModelVersion:
    """Write a version's arrays, put it into the registry, and return it; in service it is not."""
    model, arrays = made
    whole = replace(
        model,
        evaluation=evaluation,
        calibration=calibration or Calibration(),
        lineage={
            "origins": list(origins),
            "trained": {
                "people": people,
                "cuts": [iso(each) for each in reversed(cuts.fit)],
                "calibrated": iso(cuts.calibrate),
                "from": iso(cuts.fit[-1]),
                "to": iso(cuts.held_out),
            },
            "held_out": {"from": iso(cuts.held_out), "to": iso(cuts.held_out + cuts.horizon)},
            "seed": seed,
            "parameters": dict(PARAMETERS),
            "code": {name: installed(name) for name in ("fairlead", "lightgbm", "numpy", "scikit-learn")},
        },
    )
    write_arrays(whole, home, arrays)
    with database.write() as write:
        registry.register(write, whole)
    return whole
