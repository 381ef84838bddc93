"""Whether something happens more often, or otherwise, in one arm: exact evidence from who it happened to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

RISES = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""How many times as often it may happen to the treated, as the alternatives have it, with equal prior weight."""
_APART = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
CHANGES = tuple(sorted([*_APART, *(1.0 / times for times in _APART)]))
"""The same where more and fewer both count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How many people something happened to, by arm, while chance sent the ``share`` of them to the treated."""

    treated: int
    control: int
    share: float


def evidence(splits: Sequence[Split], *, alternatives: Sequence[float] = RISES) -> float:
    """Return the logarithm of an e-value against "it happens to both arms alike".

    Where it does, each of those to whom it happened is a treated one with the known chance q, whatever the rate: no
    rate has to be known, and it may move. A rate r times as high makes that chance qr / (1 − q + qr). Averaged over the
    alternatives, the likelihood ratio is a martingale of mean one (Ville, 1939; Robbins, 1970): it ever reaches 1/α
    with probability at most α, exactly, at any number of looks.

    >>> round(evidence([Split(treated=4, control=0, share=0.05)]), 1)
    9.5
    >>> evidence([])
    0.0
    """
    known = [each for each in splits if 0.0 < each.share < 1.0 and each.treated + each.control]
    if not known:
        return 0.0
    rises = np.array(alternatives)
    share = np.array([each.share for each in known])
    everyone = np.array([each.treated + each.control for each in known], dtype=np.float64)
    treated = float(sum(each.treated for each in known))
    ratios = treated * np.log(rises) - everyone @ np.log1p(np.outer(share, rises - 1.0))
    top = float(ratios.max())
    return top + log(float(np.exp(ratios - top).mean()))


def strength(logarithm: float) -> float:
    """Return an e-value for the eye, at most 10¹².

    >>> strength(evidence([]))
    1.0
    """
    return min(exp(min(logarithm, 30.0)), 1e12)
