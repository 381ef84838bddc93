"""Epsilon-greedy over click rates, of items as such.

References
----------
Sutton, Barto, Reinforcement Learning, 2nd ed., 2018, section 2.2.
"""

from hashlib import sha256

import numpy as np

from scoring_core.scorers.draws import EpsilonDraw
from scoring_core.scorers.protocol import Floats, Scores
from scoring_core.scorers.thompson import STATISTICS, posterior


class EpsilonGreedyScorer:
    """Scores an item by its posterior mean click rate, and shows any item alike with probability ``epsilon``."""

    name = "epsilon_greedy"
    version = "1"
    digest = sha256(b"epsilon_greedy/1").hexdigest()
    features: tuple[str, ...] = STATISTICS

    def __init__(self, *, epsilon: float = 0.1, prior: tuple[float, float] = (1.0, 1.0)) -> None:
        self._epsilon = epsilon
        self._prior = prior

    def score(self, table: Floats) -> Scores:
        """Return rates and the draw."""
        successes, failures = posterior(table, self._prior)
        return Scores(successes / (successes + failures), np.empty((len(table), 0)), EpsilonDraw(self._epsilon))
