"""Sample ratio: whether arms get the share of people that they should, at every look at once."""

from collections.abc import Sequence
from math import inf, lgamma, log

CONCENTRATION = 100.0
ALARM = 0.001
"""The level at which a comparison is not believed any more."""


def imbalance(counts: Sequence[int], shares: Sequence[float], *, concentration: float = CONCENTRATION) -> float:
    """Return the logarithm of an e-value against "the arms have their shares".

    The sequential multinomial test (Lindon and Malek, 2022, Anytime-Valid Inference for Multinomial Count Data): the
    Bayes factor of a Dirichlet mixture about the shares. It ever reaches 1/α with probability at most α. Arms without a
    share are left out, of the test and of its freedom; somebody in one of them is infinite evidence.

    Parameters
    ----------
    counts
        People per arm, each once.
    shares
        What each arm should have; they are brought to the sum of one.
    concentration
        How near to the shares the alternatives are thought to be.

    >>> imbalance([5000, 5000], [0.5, 0.5]) < 0 < imbalance([5300, 4700], [0.5, 0.5])
    True
    >>> imbalance([1, 9, 0], [0.1, 0.9, 0.0]) == imbalance([1, 9], [0.1, 0.9])
    True
    """
    if any(count for count, share in zip(counts, shares, strict=True) if share <= 0.0):
        return inf
    arms = [(count, share) for count, share in zip(counts, shares, strict=True) if share > 0.0]
    whole = sum(share for _, share in arms)
    people = sum(count for count, _ in arms)
    if people == 0 or len(arms) < 2:
        return 0.0
    found = lgamma(concentration) - lgamma(concentration + people)
    for count, share in arms:
        prior = concentration * share / whole
        found += lgamma(prior + count) - lgamma(prior) - count * log(share / whole)
    return found
