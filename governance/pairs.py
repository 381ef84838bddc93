"""One logged policy judged by the log of another: rows of one item each, with marginal propensities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from governance.crossfit import Choices
from governance.offpolicy import DRAWS, Estimate, estimate

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRows:
    """What one policy showed: each row's item (0 … ``items`` − 1) and slot (0, 1, …), what came of it, with what
    probability it was shown, and the circumstances, known before."""

    item: Whole
    slot: Whole
    reward: Floats
    propensity: Floats
    features: Floats
    items: int


def uniform(slots: int, items: int) -> Floats:
    """Return the policy that shows any item anywhere alike: shape (slots, items)."""
    return np.full((slots, items), 1.0 / items)


def shares(rows: ShownRows, slots: int) -> Floats:
    """Return how often each item stood at each slot, as shares: a policy that asks no context, as its log shows it."""
    counts = np.zeros((slots, rows.items))
    np.add.at(counts, (rows.slot, rows.item), 1.0)
    found: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return found


def evaluate_pair(
    rows: ShownRows, target: Floats, *, seed: int, clip: float | None = None, draws: int = DRAWS
) -> Estimate:
    """Estimate what a policy ``target`` (slots × items) would have earned per impression, from another's log.

    The uniform target needs nothing but the logged propensities. A target read off its own log (``shares``) is itself
    an estimate, which the intervals do not count.
    """
    every = target[rows.slot]
    return estimate(
        rows.reward,
        rows.propensity,
        every[np.arange(len(rows.item)), rows.item],
        seed=seed,
        features=rows.features,
        choices=Choices(rows.item, every),
        clip=clip,
        draws=draws,
    )
