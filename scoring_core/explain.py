"""Why an item got its score: exact attributions."""

from dataclasses import dataclass

import numpy as np

from scoring_core.scorers.gbdt import GbdtScorer
from scoring_core.scorers.protocol import Floats


@dataclass(frozen=True, slots=True)
class Attributions:
    """What each feature added to each row's score: ``base + contributions.sum(1) == score`` up to rounding."""

    base: Floats
    contributions: Floats


def attribute(scorer: GbdtScorer, table: Floats) -> Attributions:
    """Return the exact Shapley values of the trees (Lundberg et al., 2020), averaged over the members."""
    if not len(table):
        return Attributions(base=np.empty(0), contributions=np.empty(table.shape))
    contributions = sum(booster.predict(table, pred_contrib=True, num_threads=1) for booster in scorer.boosters)
    mean = contributions / len(scorer.boosters)
    return Attributions(base=mean[:, -1], contributions=mean[:, :-1])
