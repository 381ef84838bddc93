"""Clustered segments: people alike in what they do, found in the data, each with how sure it is who belongs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scoring_core.models import Arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion

LEAST = 0.7
"""Who is less surely of one cluster belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterModel:
    """A mixture of Gaussians with diagonal covariance over the logarithm of what is counted of people, standardized by
    ``centre`` and ``scale``; ``titles`` says in plain words what its clusters are like."""

    name: str
    version: str
    features: tuple[str, ...]
    titles: tuple[str, ...]
    centre: Floats
    scale: Floats
    weights: Floats
    means: Floats
    variances: Floats

    def belonging(self, rows: Floats) -> Floats:
        """Return the probability of each cluster (people × clusters) by Bayes' rule."""
        placed = placed_at(rows, self.centre, self.scale)
        far = ((placed[:, None] - self.means) ** 2 / self.variances + np.log(self.variances)).sum(axis=2)
        likely = np.log(self.weights) - 0.5 * far
        likely -= likely.max(axis=1, keepdims=True)
        share = np.exp(likely)
        total: Floats = share / share.sum(axis=1, keepdims=True)
        return total

    def memberships(self, rows: Floats) -> Mapping[str, Floats]:
        """Return by ``cluster.N`` how sure it is that each person belongs; 0 for who does not."""
        sure = self.belonging(rows)
        kept = np.where(sure >= LEAST, sure, 0.0)
        return {f"cluster.{place + 1}": kept[:, place] for place in range(len(self.titles))}


def placed_at(rows: Floats, centre: Floats, scale: Floats) -> Floats:
    """Return counts as clusters see them: ln(1 + x), standardized."""
    found: Floats = (np.log1p(np.maximum(rows, 0.0)) - centre) / scale
    return found


def cluster_model(version: ModelVersion, arrays: Arrays) -> ClusterModel:
    """Make a model of a registered version from its arrays."""
    return ClusterModel(
        name=version.name,
        version=version.version,
        features=version.features,
        titles=tuple(version.parameters["titles"]),
        **{name: arrays[name] for name in ("centre", "scale", "weights", "means", "variances")},
    )
