"""Thompson sampling over click rates, of items as such.

The state is the item statistics of one numbered epoch: impressions and clicks, logged with every change, so a
decision replays with the very posterior that it drew from. An impression counts as a failure from the moment that it
is reported until its click arrives. That biases a rate downwards by (rate × share of the impressions that still wait
for their click), most for items whose traffic is young; it passes as soon as the clicks are in, it never biases
upwards, and it shifts less traffic on the strength of a burst that nobody could have answered yet. The alternative,
holding impressions back until the join window closes, would leave the sampler a day behind. What it costs where answers
are late for long (all of them by 50 of 1,000 rounds) is 1.25 times the regret of a sampler that holds back as long
(``benchmarks.bandits``). The linear bandits, whose state comes from the lake, count closed windows only.

References
----------
Chapelle, Li, An Empirical Evaluation of Thompson Sampling, NIPS 2011 (section 4: delayed feedback, to which a
randomised policy is robust). Sutton, Barto, Reinforcement Learning, 2nd ed., 2018, section 2.2.
"""

from hashlib import sha256

import numpy as np

from scoring_core.scorers.draws import BetaDraw
from scoring_core.scorers.protocol import Floats, Scores

STATISTICS = ("stat.impressions", "stat.clicks")


def posterior(table: Floats, prior: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the Beta posterior of each row's click rate: prior plus clicks, prior plus impressions without a click."""
    known = np.nan_to_num(np.maximum(table, 0.0), nan=0.0, posinf=0.0)
    shown, clicked = known[:, 0], known[:, 1]
    return prior[0] + clicked, prior[1] + np.maximum(shown - clicked, 0.0)


class ThompsonScorer:
    """Scores an item by its posterior mean click rate, and draws by chance of having the largest rate.

    Parameters
    ----------
    prior
        Successes and failures that every item starts with.
    floor
        The least chance that each item left has at a slot.
    """

    name = "thompson"
    version = "1"
    digest = sha256(b"thompson/1").hexdigest()
    features: tuple[str, ...] = STATISTICS

    def __init__(self, *, prior: tuple[float, float] = (1.0, 1.0), floor: float = 0.0) -> None:
        self._prior = prior
        self._floor = floor

    def score(self, table: Floats) -> Scores:
        """Return posterior means and the draw."""
        successes, failures = posterior(table, self._prior)
        means = successes / (successes + failures)
        return Scores(means, np.empty((len(table), 0)), BetaDraw(successes, failures, means, self._floor))
