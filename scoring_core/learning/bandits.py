"""Training of the linear bandit: a ridge regression of clicks on features, one for all items or one per arm.

Rows weigh alike, not by inverse propensity. Given the features, which item was shown says nothing of the click beyond
them, so least squares are unbiased for a linear model under any logging policy that drew from the features, and A is
the information that was really gathered: weights 1 / p would count one lucky row as many and make the posterior that
the bandits explore by too narrow. Where the truth is not linear the fit favours what was shown most; the comparison
with popularity on held-out time, which is weighted, shows it.

References
----------
Li, Chu, Langford, Schapire, A Contextual-Bandit Approach to Personalized News Article Recommendation, WWW 2010.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.learning.datasets import Examples, describe_features, feature_table
from scoring_core.learning.evaluate import compare, popularity
from scoring_core.learning.train import Prepared, prepare
from scoring_core.models import digest_of, write_arrays
from scoring_core.scorers.linear import Design, linear_of
from scoring_core.scorers.protocol import Floats
from storage import registry
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import iso, moment
from storage.records.models import ModelVersion

MIN_CLICKS = 20
MOST_LEVELS = 50
"""A category of more values is left out, but for the arms: one flag each would be one parameter each."""
CLICKS_PER_ARM = 10
"""How many clicks per item of the catalogue make a model of each worth it."""
MOST_NUMBERS = 4_000_000
"""How many numbers the inverses of all arms may have together."""


class Ridge:
    """The sums that ridge regressions are solved from, one per arm; arm 0 is the model of all, or the prior of arms
    that were never seen."""

    def __init__(self, width: int, *, arms: int = 0, penalty: float = 1.0) -> None:
        self.precision = np.repeat(penalty * np.eye(width)[None], arms + 1, axis=0)
        self.moment = np.zeros((arms + 1, width))

    def learn(self, vectors: Floats, arms: NDArray[np.int64], outcomes: Floats, weights: Floats | None = None) -> None:
        """Add rows; those of arms that are not known teach nothing where there are arms."""
        if weights is not None:
            root = np.sqrt(weights)
            vectors, outcomes = vectors * root[:, None], outcomes * root
        for arm in np.unique(arms).tolist():
            if arm or len(self.moment) == 1:
                rows = vectors[arms == arm]
                self.precision[arm] += rows.T @ rows
                self.moment[arm] += rows.T @ outcomes[arms == arm]

    def solved_of(self, arm: int) -> tuple[Floats, Floats]:
        """Return θ and A⁻¹ of one arm."""
        inverse = np.linalg.inv(self.precision[arm]).astype(np.float64)
        return inverse @ self.moment[arm], inverse

    def solved(self) -> tuple[Floats, Floats]:
        """Return θ = A⁻¹ b and A⁻¹ of each arm."""
        inverse = np.linalg.inv(self.precision).astype(np.float64)
        return np.einsum("aij,aj->ai", inverse, self.moment), inverse


def designed(
    table: Floats, features: Sequence[str], categories: Mapping[str, Sequence[str]], *, arms: str = ""
) -> Design:
    """Return how rows become vectors: numbers standardised by what ``table`` holds of them."""
    known = np.isfinite(table)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table - mean, 0.0) ** 2).sum(axis=0) / count)
    levels = [0 if name == arms else len(categories.get(name, ())) for name in features]
    return Design(
        mean=mean,
        scale=np.where(spread > 0.0, spread, 1.0),
        levels=np.array(levels, dtype=np.int64),
        arm=features.index(arms) if arms else -1,
    )


def train_linear_bandit(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "bandit",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    arms: str | None = None,
    penalty: float = 1.0,
) -> ModelVersion:
    """Train on impressions whose window has closed, evaluate on held-out time, write, register, not promote.

    ``arms`` names the category whose values have a model each (``item.item_id`` for one per item); empty, one model
    serves all; None, each item has one where there are ``CLICKS_PER_ARM`` clicks for each of the catalogue. ``seed``
    is kept in the lineage; nothing here is random.

    Raises
    ------
    Invalid
        If an argument makes no sense, or the lake holds too little to learn from.
    Full, Unavailable
        If the files cannot be written.
    """
    prepared = prepare(database, lake, now=now, origins=origins)
    past, shelf = prepared.past, prepared.shelf
    if past.clicks < MIN_CLICKS:
        raise Invalid(
            f"too little to learn from: {len(past):,} impressions with {past.clicks} clicks of origin "
            f"{', '.join(origins)}; {MIN_CLICKS} clicks are the least. Import data or wait for traffic"
        )
    arms = _arms(prepared) if arms is None else arms
    features, categories = _features(prepared, arms)
    table = feature_table(past, features, categories=categories, shelf=shelf)
    design = designed(table, features, categories, arms=arms)
    count = len(categories[arms]) if arms else 0
    if (count + 1) * design.width**2 > MOST_NUMBERS:
        raise Invalid(f"{count} arms of {design.width} parameters each are too many; choose a category of fewer values")
    clicked = past.clicked.astype(np.float64)
    ridge = Ridge(design.width, arms=count, penalty=penalty)
    vectors, of = design.vectors(table), design.arms(table, count)
    ridge.learn(vectors, of, clicked, _trust(prepared))
    theta, inverse = ridge.solved()
    noise = float(np.sqrt(np.mean((clicked - (vectors * theta[of]).sum(axis=1)) ** 2)))
    arrays = {
        "mean": design.mean,
        "scale": design.scale,
        "levels": design.levels,
        "arm": np.array([design.arm]),
        "theta": theta,
        "inverse": inverse,
        "noise": np.array([noise]),
    }
    number = f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"
    draft = ModelVersion(
        name=name,
        version=number,
        kind="linear_bandit",
        created_at=now,
        path=f"models/{name}/{number}",
        digest=digest_of(arrays),
        features=features,
        categories=categories,
        parameters={"arms": arms, "penalty": penalty, "noise": noise, "width": design.width},
        lineage=_lineage(prepared, seed=seed, origins=origins),
    )
    model = _judged(draft, arrays, prepared)
    write_arrays(model, home, arrays)
    with database.write() as write:
        registry.register(write, model)
    return model


def _arms(prepared: Prepared) -> str:
    """Return the arms that the data can bear: one model of all says which items are good, one of each also for whom."""
    items = len(prepared.shelf.catalogue.items)
    features, categories = _features(prepared, "item.item_id")
    width = 2 + sum(len(categories.get(name, ())) or 1 for name in features if name != "item.item_id")
    enough = prepared.past.clicks >= CLICKS_PER_ARM * items and (items + 1) * width**2 <= MOST_NUMBERS
    return "item.item_id" if enough else ""


def _trust(prepared: Prepared) -> Floats | None:
    trust = prepared.quality.trust
    if not trust:
        return None
    return np.array([trust.get(each, 1.0) if each else 1.0 for each in prepared.past.subject.tolist()])


def _features(prepared: Prepared, arms: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the features that are few and plain enough for a linear model, and the arms' column."""
    found, known = describe_features(prepared.past, prepared.shelf)
    categories = {name: values for name, values in known.items() if len(values) <= MOST_LEVELS or name == arms}
    if arms == "item.item_id":
        categories[arms] = tuple(item.item_id for item in prepared.shelf.catalogue.items)
    if arms and arms not in categories:
        raise Invalid("the arms must be a category of these impressions: context.NAME, item.NAME or item.item_id")
    features = [
        name
        for name in found
        if (name not in known or name in categories)
        and not name.removeprefix("user.").isdecimal()
        and not (arms == "item.item_id" and name.startswith("item."))  # an item's own model knows it already
    ]
    return tuple(dict.fromkeys([*features, arms] if arms else features)), categories


def _judged(draft: ModelVersion, arrays: Mapping[str, NDArray[Any]], prepared: Prepared) -> ModelVersion:
    held_out = prepared.held_out
    table = feature_table(held_out, draft.features, categories=draft.categories, shelf=prepared.shelf)
    values = linear_of(draft, arrays).score(table).values
    rival = popularity(prepared.past, len(prepared.shelf.catalogue.items))[held_out.ordinal]
    return replace(draft, evaluation=compare(held_out, values, rival, against="popularity").document())


def _lineage(prepared: Prepared, *, seed: int, origins: Sequence[str]) -> Mapping[str, Any]:
    def period(examples: Examples) -> Mapping[str, Any]:
        known = len(examples) > 0
        return {
            "rows": len(examples),
            "clicks": examples.clicks,
            "from": iso(int(examples.at[0])) if known else None,
            "to": iso(int(examples.at[-1])) if known else None,
        }

    return {
        "files": list(prepared.files),
        "origins": list(origins),
        "catalogue": prepared.shelf.catalogue.version,
        "trained": period(prepared.past),
        "held_out": period(prepared.held_out),
        "dropped": dict(prepared.past.dropped),
        "weights": "none by propensity; less where a subject's feedback is not trusted",
        "seed": seed,
        "code": {"fairlead": version("fairlead"), "python": platform.python_version(), "numpy": version("numpy")},
    }
