"""The interval of a rate; light enough for every process."""

from math import sqrt

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(hits: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's score interval of a rate, 95 % at the given ``z``; (0, 1) of nothing.

    SciPy's ``binomtest`` takes whole numbers only, and half a second to load.

    References
    ----------
    Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.

    Examples
    --------
    >>> tuple(round(end, 4) for end in wilson(5, 50))
    (0.0435, 0.2136)
    """
    if n <= 0:
        return 0.0, 1.0
    share = min(max(hits / n, 0.0), 1.0)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (max(0.0, centre - half) if hits > 0 else 0.0), (min(1.0, centre + half) if hits < n else 1.0)
