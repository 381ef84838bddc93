"""Models that tell something of a person: churn, value, next action."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from scoring_core.clusters import ClusterModel, cluster_model
from scoring_core.models import Arrays, read_arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion

Task = Literal["churn", "value", "next_action", "creators"]


class Factor(NamedTuple):
    """What a feature contributed to what is told of a person: its value (NaN: unknown), and its exact additive share
    (SHAP) of the model's raw score: log-odds for a probability, the logarithm for an amount."""

    feature: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonModel:
    """Boosted trees over a row of features, and the isotonic map (knots ``x``, ``y``) of what they say onto what came
    true. ``classes`` are the actions that a model of the next action chooses from."""

    name: str
    version: str
    task: Task
    features: tuple[str, ...]
    horizon_days: float
    classes: tuple[str, ...] = ()
    x: Floats
    y: Floats
    booster: Any = field(repr=False)

    def raw(self, rows: Floats) -> Floats:
        """Return what the trees say of each row before it is calibrated."""
        said: Floats = self.booster.predict(rows, num_threads=1)
        return said

    def tell(self, rows: Floats) -> Floats:
        """Return per row the probability of churn, the expected spend, or one probability per class."""
        said = self.raw(rows)
        return said if self.classes or not len(self.x) else np.interp(said, self.x, self.y)

    def factors(self, row: Floats, *, most: int = 5, of: int = 0) -> tuple[Factor, ...]:
        """Return the features that moved what is told of a person most, for the class in place ``of``.

        References
        ----------
        Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020.
        """
        shares = self.booster.predict(row[None], pred_contrib=True, num_threads=1)[0]
        width = len(self.features) + 1
        own = shares[of * width : of * width + width - 1] if self.classes else shares[:-1]
        chosen = np.argsort(-np.abs(own), kind="stable")[:most].tolist()
        return tuple(Factor(self.features[at], float(row[at]), float(own[at])) for at in chosen if own[at] != 0.0)


def person_model(version: ModelVersion, arrays: Arrays) -> PersonModel:
    """Make a model of a registered version from its arrays."""
    import lightgbm

    told = version.parameters
    return PersonModel(
        name=version.name,
        version=version.version,
        task=told["task"],
        features=version.features,
        horizon_days=float(told["horizon_days"]),
        classes=tuple(told.get("classes", ())),
        x=arrays["x"],
        y=arrays["y"],
        booster=lightgbm.Booster(model_str=arrays["trees"].tobytes().decode()),
    )


def load(version: ModelVersion, home: Path) -> PersonModel | ClusterModel:
    """Load a registered version: a model that foretells, or one of clusters.

    Raises
    ------
    Unavailable
        If its file is missing or is not the one that was registered.
    """
    arrays = read_arrays(version, home)
    return (
        cluster_model(version, arrays)
        if version.parameters.get("task") == "clusters"
        else person_model(version, arrays)
    )
