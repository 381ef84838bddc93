"""Rates drawn towards the margin as far as they are uncertain: empirical Bayes."""

from collections.abc import Sequence

Counts = tuple[int, int, float]
"""Trials, hits, and the rate of the margin that a cell is drawn to."""


def strength(cells: Sequence[Counts]) -> float | None:
    """Return how many trials the margin is worth; None where cells differ no more than chance has it: then the margin
    is all that is known.

    Moments of a beta-binomial (Kleinman, Proportions with Extraneous Variance, JASA 68, 1973, 46–54).

    >>> round(strength([(1000, 10, 0.02), (1000, 30, 0.02)]), 1)
    107.6
    """
    used = [(n, hits, base) for n, hits, base in cells if n and 0 < base < 1]
    shown = sum(n for n, _, _ in used)
    if len(used) < 2:
        return None
    spread = sum(n * (hits / n - base) ** 2 for n, hits, base in used)
    noise = sum(base * (1 - base) for _, _, base in used) * (len(used) - 1) / len(used)
    between = (spread - noise) / (shown - sum(n * n for n, _, _ in used) / shown)
    if between <= 0:
        return None
    own = sum(n * base * (1 - base) for n, _, base in used) / shown
    return max(0.0, own / between - 1)


def shrunk(n: int, hits: int, base: float, weight: float | None) -> float:
    """Return a rate drawn to its margin.

    >>> shrunk(100, 10, 0.05, 100.0), shrunk(100, 10, 0.05, None)
    (0.075, 0.05)
    """
    return base if weight is None else (hits + weight * base) / (n + weight)
