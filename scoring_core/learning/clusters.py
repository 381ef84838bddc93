"""Finding clustered segments: how many there are is told by the data, whether they are real by finding them twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.clusters import ClusterModel, cluster_model, placed_at
from scoring_core.features.segments import COUNTED
from scoring_core.learning.census import people_of
from scoring_core.models import Arrays, digest_of, write_arrays
from scoring_core.scorers.protocol import Floats
from storage import registry
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import iso, moment
from storage.records.models import ModelVersion

FEWEST_PEOPLE = 200
MOST_CLUSTERS = 6
STABLE = 0.6
"""Clusters whose memberships agree less than so when they are found in either half of the people are not kept.

References
----------
Hubert and Arabie, Comparing partitions, 1985 (the adjusted Rand index; 0 is chance, 1 is the same); stability as a
criterion: Ben-Hur, Elisseeff and Guyon, 2002.
"""
NARROWEST = 0.25
"""The least variance of a cluster, so that a small whole number is not taken for one."""
TOLD_FROM = 0.5
"""How many standard deviations a cluster's mean lies from everyone's before it is said of it."""

WORDS: Mapping[str, tuple[str, str]] = {
    "views": ("looks at much", "looks at little"),
    "clicks": ("clicks much", "clicks little"),
    "purchases": ("buys often", "hardly buys"),
    "carts": ("fills carts", "fills no carts"),
    "wishes": ("keeps wish lists", "keeps no wish list"),
    "searches": ("searches much", "hardly searches"),
    "likes": ("reacts much", "hardly reacts"),
    "rejections": ("turns much down", "turns little down"),
    "sessions": ("comes often", "comes seldom"),
    "spend": ("spends much", "spends little"),
    "dwell_s": ("stays long", "stays short"),
    "different": ("looks at many different items", "looks at few different items"),
    "mobile": ("often on a phone", "hardly on a phone"),
    "desktop": ("often at a desktop", "hardly at a desktop"),
}
"""What clusters are found by, and how much and little of it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """What was found: the model's parts, and how stable it is."""

    features: tuple[str, ...]
    titles: tuple[str, ...]
    arrays: Arrays
    agreement: float
    evaluation: Mapping[str, Any]


def learn_clusters(counted: Floats, *, seed: int) -> Clusters:
    """Find the clusters of people; ``counted`` has ``COUNTED`` as columns.

    Raises
    ------
    Invalid
        If there are too few people, they are all alike, or what is found is not found again.
    """
    if len(counted) < FEWEST_PEOPLE:
        raise Invalid(f"too little to find clusters in: {len(counted):,} people, {FEWEST_PEOPLE} are the least")
    features = tuple(name for name in WORDS if np.unique(counted[:, COUNTED.index(name)]).size > 2)
    if not features:
        raise Invalid("nothing to find clusters by: people do not differ in what is counted of them")
    rows = counted[:, [COUNTED.index(name) for name in features]]
    logs = np.log1p(rows)
    centre, scale = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-6)
    placed = placed_at(rows, centre, scale)
    half = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows)) % 2 == 0
    tried = {count: _agreement(placed, half, count, seed) for count in range(2, MOST_CLUSTERS + 1)}
    stable = {count: found for count, found in tried.items() if found >= STABLE}
    if not stable:
        best = max(tried.values())
        raise Invalid(f"no clusters are found again in the other half of the people: {best:.2f}, {STABLE} is the least")
    fits = {count: _fit(placed, count, seed) for count in stable}
    count = min(fits, key=lambda each: fits[each].bic(placed))
    fit, agreement = fits[count], tried[count]
    order = np.argsort(-fit.weights_, kind="stable")
    means = fit.means_[order]
    return Clusters(
        features=features,
        titles=tuple(_title(features, mean) for mean in means),
        arrays={
            "centre": centre,
            "scale": scale,
            "weights": fit.weights_[order],
            "means": means,
            "variances": fit.covariances_[order],
        },
        agreement=agreement,
        evaluation={
            "verdict": "better",
            "rival": "chance",
            "agreement": agreement,
            "people": len(rows),
            "sentence": f"{count} clusters, found again in the other half of {len(rows):,} people: adjusted Rand index "
            f"{agreement:.2f} (0 is chance, 1 the same).",
        },
    )


def _fit(placed: Floats, count: int, seed: int) -> Any:
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(count, covariance_type="diag", reg_covar=NARROWEST, n_init=3, random_state=seed).fit(placed)


def _agreement(placed: Floats, half: Any, count: int, seed: int) -> float:
    """Return how far two fits, each on another half, agree about everyone."""
    from sklearn.metrics import adjusted_rand_score

    one, other = (_fit(placed[chosen], count, seed).predict(placed) for chosen in (half, ~half))
    return float(adjusted_rand_score(one, other))


def _title(features: Sequence[str], mean: Floats) -> str:
    far = np.argsort(-np.abs(mean), kind="stable")[:3].tolist()
    said = [WORDS[features[at]][0 if mean[at] > 0 else 1] for at in far if abs(mean[at]) >= TOLD_FROM]
    text = ", ".join(said) or "like everyone in the middle"
    return text[0].upper() + text[1:] + "."


def train_clusters(
    database: Database, lake: Lake, home: Path, *, now: int, seed: int, origins: Sequence[str]
) -> ModelVersion:
    """Find, name and register clusters of everyone who may be profiled.

    Raises
    ------
    Invalid
        If the lake holds too little, or nothing that is found twice.
    Full, Unavailable
        If the files cannot be written.
    """
    people, _ = people_of(database, lake, now=now, origins=origins)
    found = learn_clusters(people.counted, seed=seed)
    number = f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"
    model = ModelVersion(
        name="clusters",
        version=number,
        kind="person",
        created_at=now,
        path=f"models/clusters/{number}",
        digest=digest_of(found.arrays),
        features=found.features,
        parameters={"task": "clusters", "titles": list(found.titles)},
        evaluation=found.evaluation,
        lineage={
            "origins": list(origins),
            "trained": {"people": len(people), "to": iso(now)},
            "seed": seed,
            "code": {name: installed(name) for name in ("fairlead", "numpy", "scikit-learn")},
        },
    )
    write_arrays(model, home, found.arrays)
    with database.write() as write:
        registry.register(write, model)
    return model


def unregistered(found: Clusters) -> ClusterModel:
    """Return found clusters as a model that nobody registered yet."""
    told = ModelVersion(
        name="clusters",
        version="0",
        kind="person",
        created_at=0,
        path="",
        digest="",
        features=found.features,
        parameters={"titles": list(found.titles)},
    )
    return cluster_model(told, found.arrays)
