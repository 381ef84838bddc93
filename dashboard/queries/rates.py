"""A rate never goes without its count and its interval."""

from dataclasses import dataclass

from storage.records.proportions import wilson


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
