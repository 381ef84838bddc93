"""A rate never goes without its count and its interval."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(hits: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion (Wilson 1927, JASA 22, 209–212).

    >>> tuple(round(x, 4) for x in wilson(20, 1000))
    (0.013, 0.0307)
    """
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    middle = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``hits`` out of ``n`` with its 95 % interval; ``value`` is None where nothing was counted."""

    hits: int
    n: int
    value: float | None
    low: float
    high: float


def rate(hits: int, n: int) -> Rate:
    """Return a rate; hits beyond ``n`` (clicks without a reported impression) count as ``n``."""
    low, high = wilson(min(hits, n), n)
    return Rate(hits=hits, n=n, value=min(hits, n) / n if n else None, low=low, high=high)
