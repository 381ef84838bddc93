"""Contextual linear bandits: LinUCB and linear Thompson sampling over one trained linear model.

A model is one ridge regression for all items, or one per *arm*, the value of a category (``item.item_id``, say); an arm
that was never trained has the prior: nothing expected, everything possible.

References
----------
Li, Chu, Langford, Schapire, A Contextual-Bandit Approach to Personalized News Article Recommendation, WWW 2010
(algorithm 1, disjoint linear models). Agrawal, Goyal, Thompson Sampling for Contextual Bandits with Linear Payoffs,
ICML 2013.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from scoring_core.live import Model
from scoring_core.models import Arrays, read_arrays
from scoring_core.scorers.draws import NormalDraw
from scoring_core.scorers.protocol import Floats, Scores
from storage.compiled import compiled
from storage.records.models import ModelVersion


def _forms(vectors: Any, arms: Any, inverse: Any) -> Any:
    rows, width = vectors.shape
    found = np.zeros(rows)
    for row in range(rows):
        for one in range(width):
            if vectors[row, one] != 0.0:
                along = 0.0
                for other in range(width):
                    along += inverse[arms[row], one, other] * vectors[row, other]
                found[row] += vectors[row, one] * along
    return found


def _read(kind: Any, dimensions: int) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_quadratic = compiled(types.float64[::1](_read(types.float64, 2), _read(types.int64, 1), _read(types.float64, 3)))(
    _forms
)
"""xᵀ A⁻¹ x per row, with the row's arm's A⁻¹."""


@dataclass(frozen=True, slots=True)
class Design:
    """How a row of features becomes a vector: numbers standardised, missing ones at their mean; categories of
    ``levels`` > 0 as one flag per level; 1 at the end. ``arm`` is the column that names the arm, −1 for none."""

    mean: Floats
    scale: Floats
    levels: NDArray[np.int64]
    arm: int

    @property
    def width(self) -> int:
        """How long the vectors are."""
        return int(np.where(self.levels > 0, self.levels, 1).sum()) + 1

    def vectors(self, table: Floats) -> Floats:
        """Return one vector per row."""
        made = np.zeros((len(table), self.width))
        at = 0
        for column, levels in enumerate(self.levels.tolist()):
            values = table[:, column]
            if levels:
                rows = np.flatnonzero((values >= 0) & (values < levels))
                made[rows, at + values[rows].astype(np.int64)] = 1.0
                at += levels
            elif column != self.arm:
                standard = (values - self.mean[column]) / self.scale[column]
                made[:, at] = np.nan_to_num(standard, nan=0.0, posinf=0.0, neginf=0.0)
                at += 1
            else:
                at += 1
        made[:, -1] = 1.0
        return made

    def arms(self, table: Floats, count: int) -> NDArray[np.int64]:
        """Return each row's arm, 1 … ``count``; 0 for one that is not known, or where there is one model for all."""
        if self.arm < 0:
            return np.zeros(len(table), dtype=np.int64)
        values = table[:, self.arm]
        known = (values >= 0) & (values < count)
        return np.where(known, np.where(known, values, 0.0) + 1.0, 0.0).astype(np.int64)


@dataclass(eq=False)
class LinearScorer:
    """A trained linear model that scores by what it expects.

    ``theta`` (arms + 1, width) and ``inverse`` (arms + 1, width, width) are the ridge solutions and the inverse
    precision of each arm, 0 being the model of all or, where there are arms, the prior; ``noise`` is the standard
    deviation of an outcome around what was expected.
    """

    name: str
    version: str
    digest: str
    features: tuple[str, ...]
    design: Design = field(repr=False)
    theta: Floats = field(repr=False)
    inverse: Floats = field(repr=False)
    noise: float

    def score(self, table: Floats) -> Scores:
        """Return what is expected of each row."""
        return Scores(self.expected(table)[0], np.empty((len(table), 0)))

    def parts(self, table: Floats) -> Floats:
        """Return what each feature adds to what is expected, in their order, and last the constant."""
        of = self.design.arms(table, len(self.theta) - 1)
        products = self.design.vectors(table) * self.theta[of]
        starts = np.concatenate([[0], np.where(self.design.levels > 0, self.design.levels, 1).cumsum()])
        found: Floats = np.add.reduceat(products, starts, axis=1) if len(table) else np.empty((0, len(starts)))
        return found

    def expected(self, table: Floats) -> tuple[Floats, Floats]:
        """Return each row's expected outcome and the standard deviation of that expectation."""
        vectors = self.design.vectors(table)
        arms = self.design.arms(table, len(self.theta) - 1)
        mean = (vectors * self.theta[arms]).sum(axis=1)
        return mean, self.noise * np.sqrt(np.maximum(_quadratic(vectors, arms, self.inverse), 0.0))


class LinUcbScorer:
    """Scores by an upper bound: what is expected plus ``alpha`` of its standard deviations. It draws nothing: the
    policy's exploration gives every item its floor."""

    def __init__(self, linear: LinearScorer, *, alpha: float = 1.0) -> None:
        self.name, self.version, self.digest = linear.name, linear.version, linear.digest
        self.features = linear.features
        self.linear = linear
        self._alpha = alpha

    def score(self, table: Floats) -> Scores:
        """Return the bounds."""
        mean, deviation = self.linear.expected(table)
        return Scores(mean + self._alpha * deviation, np.empty((len(table), 0)))


class LinThompsonScorer:
    """Scores by what is expected, and draws each row's score from its posterior.

    Rows draw independently of each other, from the exact marginals N(xᵀθ, ν²·noise²·xᵀA⁻¹x). Where every item is an arm
    of its own that is the joint posterior, and this is Thompson sampling. Rows that share a model are correlated in the
    joint posterior; drawing them apart explores more than one shared draw of θ would. Either way the chances are those
    of what is drawn.
    """

    def __init__(self, linear: LinearScorer, *, width: float = 1.0, floor: float = 0.0) -> None:
        self.name, self.version, self.digest = linear.name, linear.version, linear.digest
        self.features = linear.features
        self.linear = linear
        self._width = width
        self._floor = floor

    def score(self, table: Floats) -> Scores:
        """Return what is expected, and the draw."""
        mean, deviation = self.linear.expected(table)
        drawn = NormalDraw(np.maximum(self._width * deviation, 1e-9), self._floor)
        return Scores(mean, np.empty((len(table), 0)), drawn)


def load(model: ModelVersion, home: Path) -> Model:
    """Load a registered linear model from its folder below ``home``.

    Raises
    ------
    Unavailable
        If the file is missing or does not hash to what the registry says.
    """
    arrays = read_arrays(model, home)
    return Model(
        scorer=linear_of(model, arrays),
        calibration=model.calibration,
        categories=model.categories,
    )


def linear_of(model: ModelVersion, arrays: Arrays) -> LinearScorer:
    """Make the scorer of a model's arrays."""
    return LinearScorer(
        name=model.name,
        version=model.version,
        digest=model.digest,
        features=model.features,
        design=Design(arrays["mean"], arrays["scale"], arrays["levels"], int(arrays["arm"][0])),
        theta=arrays["theta"],
        inverse=arrays["inverse"],
        noise=float(arrays["noise"][0]),
    )
