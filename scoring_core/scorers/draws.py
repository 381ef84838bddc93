"""The distributions that sampling scorers draw a slot's item from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.posterior import largest_beta, largest_normal
from scoring_core.scorers.protocol import Floats

Rows = NDArray[np.int64]
SMALLEST = 1e-12


def floored(chances: Floats, floor: float) -> Floats:
    """Return f + (1 − k·f)·w for k rows: nobody's chance is below f, the order stays; even where k·f ≥ 1.

    >>> floored(np.array([0.9, 0.1]), 0.2).round(9).tolist()
    [0.74, 0.26]
    """
    count = len(chances)
    if count * floor >= 1.0:
        return np.full(count, 1.0 / count)
    return floor + (1.0 - count * floor) * chances if floor > 0.0 else chances


@dataclass(frozen=True, slots=True)
class BetaDraw:
    """Every row draws from its own Beta posterior, the largest stands: Thompson sampling.

    A rule that multiplied a row's score (``base``, the posterior mean) multiplies the odds of what it draws.
    """

    successes: Floats
    failures: Floats
    base: Floats
    floor: float

    def chances(self, left: Rows, values: Floats) -> Floats:
        """Return the probability of each row of ``left``."""
        lift = np.log(np.maximum(values[left], SMALLEST) / self.base[left])
        return floored(largest_beta(self.successes[left], self.failures[left], lift), self.floor)


@dataclass(frozen=True, slots=True)
class NormalDraw:
    """Every row draws from a normal distribution around its score after rules, independently of the others."""

    deviation: Floats
    floor: float

    def chances(self, left: Rows, values: Floats) -> Floats:
        """Return the probability of each row of ``left``."""
        return floored(largest_normal(values[left], self.deviation[left]), self.floor)


@dataclass(frozen=True, slots=True)
class EpsilonDraw:
    """The best row left stands, but for a share ``epsilon`` that all rows have alike."""

    epsilon: float

    def chances(self, left: Rows, _values: Floats) -> Floats:
        """Return the probability of each row of ``left``, the first of which is the best."""
        chances = np.full(len(left), self.epsilon / len(left))
        chances[0] += 1.0 - self.epsilon
        return chances
