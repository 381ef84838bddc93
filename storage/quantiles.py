"""Quantiles of histograms by rank and linear interpolation, with the bucket that holds the truth."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

QuantileReason = Literal["ok", "empty", "few", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile and the bucket it lies in.

    ``value`` is None where no number may be shown: ``few`` (fewer than ``minimum`` observations), ``open`` (it lies
    beyond the last edge ``low``: "> 5 s"), ``empty``. ``high`` is None in the open bucket.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    minimum: int
    reason: QuantileReason


def minimum_count(q: float) -> int:
    """Return how many observations a quantile needs: ten on its thinner side.

    >>> [minimum_count(q) for q in (0.5, 0.95, 0.99)]
    [20, 200, 1000]
    """
    return math.ceil(round(10 / min(q, 1 - q), 6))


def quantile(edges: Sequence[float], counts: Sequence[int], q: float) -> Quantile:
    """Return the ``q`` quantile of a histogram.

    The bucket is the one that holds the observation of rank ``ceil(q·n)``; inside it the value is interpolated
    linearly, as Prometheus does (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).

    Parameters
    ----------
    edges
        Upper bounds without +Inf, growing.
    counts
        Observations per bucket, not cumulative, one more than ``edges``.
    q
        Between 0 and 1, both excluded.
    """
    if not 0 < q < 1:
        raise ValueError("a quantile lies strictly between 0 and 1")
    if len(counts) != len(edges) + 1:
        raise ValueError("a histogram has one count more than edges")
    n, minimum = sum(counts), minimum_count(q)
    if n == 0:
        return Quantile(value=None, low=None, high=None, n=0, minimum=minimum, reason="empty")
    rank, below = max(round(q * n, 9), 1e-9), 0
    index = 0
    while below + counts[index] < rank:
        below += counts[index]
        index += 1
    low = edges[index - 1] if index else min(0.0, edges[0]) if edges else 0.0
    high = edges[index] if index < len(edges) else None
    if n < minimum:
        return Quantile(value=None, low=low, high=high, n=n, minimum=minimum, reason="few")
    if high is None:
        return Quantile(value=None, low=low, high=None, n=n, minimum=minimum, reason="open")
    value = low + (high - low) * (rank - below) / counts[index]
    return Quantile(value=min(max(value, low), high), low=low, high=high, n=n, minimum=minimum, reason="ok")


def merge_layouts(
    histograms: Sequence[tuple[tuple[float, ...], Sequence[int]]],
) -> tuple[tuple[float, ...], tuple[int, ...], bool]:
    """Sum histograms per bucket; different layouts meet on the edges that all have, and the third value says so.

    >>> merge_layouts([((1.0, 2.0), (1, 1, 0)), ((2.0,), (3, 1))])
    ((2.0,), (5, 1), True)
    """
    layouts = {edges for edges, _ in histograms}
    if len(layouts) == 1:
        return layouts.pop(), tuple(map(sum, zip(*(gained for _, gained in histograms), strict=True))), False
    common = tuple(sorted(set.intersection(*map(set, layouts)))) if layouts else ()
    counts = [0] * (len(common) + 1)
    for edges, gained in histograms:
        for index, count in enumerate(gained):
            counts[bisect_left(common, edges[index]) if index < len(edges) else len(common)] += count
    return common, tuple(counts), len(layouts) > 1
