"""The studentized bootstrap of ratios and differences of means, rows that belong together drawn together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_UNITS = 20_000
"""Of more rows than that, sums over random blocks are drawn: blocks are as independent and alike as rows are."""

CHUNK = 64


@dataclass(frozen=True, slots=True)
class Target:
    """One column's mean ÷ another's, less a second such ratio where there is one; columns by place."""

    top: int
    bottom: int
    less: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and what it may be; an infinite side is one that the rows do not bound."""

    value: float
    low: float
    high: float


def units_of(columns: Floats, units: Whole | None, rng: np.random.Generator) -> Floats:
    """Return sums of ``columns`` (rows × k) over what is drawn as one: ``units``, random blocks where there are too
    many, else each row alone."""
    if units is not None:
        _, place = np.unique(units, return_inverse=True)
        columns = _sums(columns, place, int(place.max()) + 1) if len(place) else columns
    if len(columns) <= MOST_UNITS:
        return columns
    return _sums(columns, rng.permutation(len(columns)) % MOST_UNITS, MOST_UNITS)


def intervals(
    sums: Floats, targets: Sequence[Target], *, level: float, draws: int, rng: np.random.Generator
) -> list[Interval]:
    """Return each target with its bootstrap-t interval.

    Parameters
    ----------
    sums
        Shape (units, k): what each unit adds to each column.
    targets
        What is told of the columns' means.
    level
        The coverage that is wanted.
    draws
        How often all units are drawn again.

    Notes
    -----
    A mean of rare clicks times weights is skewed, and the percentile bootstrap then covers too little on the side that
    matters. The studentized one is exact to second order: it takes quantiles of (θ* − θ) ÷ se*, each draw with its own
    standard error by the delta method.

    References
    ----------
    Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter 12.5; Hall, Annals of Statistics 16 (1988).
    """
    n, width = sums.shape
    pairs = [(one, other) for one in range(width) for other in range(one, width)]
    moments = np.hstack([sums, np.stack([sums[:, one] * sums[:, other] for one, other in pairs], axis=1)])
    drawn = np.vstack([_drawn(moments, min(CHUNK, draws - at), rng) for at in range(0, draws, CHUNK)]) / n
    seen = moments.mean(axis=0, keepdims=True)
    return [_interval(target, seen, drawn, n=n, pairs=pairs, level=level) for target in targets]


def _drawn(moments: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return the sums of ``count`` resamples."""
    n = len(moments)
    weights = np.empty((count, n))
    for place, picks in enumerate(rng.integers(n, size=(count, n), dtype=np.int32)):
        weights[place] = np.bincount(picks, minlength=n)
    sums: Floats = weights @ moments
    return sums


def _interval(
    target: Target, seen: Floats, drawn: Floats, *, n: int, pairs: list[tuple[int, int]], level: float
) -> Interval:
    value, error = _told(target, seen, n, pairs)
    again, errors = _told(target, drawn, n, pairs)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steps = (again - value) / errors
    steps[np.isnan(steps)] = 0.0
    ordered = np.sort(steps)
    tail = (1.0 - level) / 2.0
    low, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (tail, 1.0 - tail))
    centre, spread = float(value[0]), float(error[0])
    if not np.isfinite(spread):
        return Interval(centre, -np.inf, np.inf)
    if spread == 0.0:
        return Interval(centre, centre, centre)
    return Interval(centre, centre - float(high) * spread, centre - float(low) * spread)


def _told(target: Target, means: Floats, n: int, pairs: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Return a target's value and standard error from the means of columns and of their products (draws × …)."""
    width = means.shape[1] - len(pairs)
    ratios = [(1.0, target.top, target.bottom), *([(-1.0, *target.less)] if target.less is not None else [])]
    value, slopes = np.zeros(len(means)), np.zeros((len(means), width))
    for sign, top, bottom in ratios:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = means[:, top] / means[:, bottom]
            value += sign * ratio
            slopes[:, top] += sign / means[:, bottom]
            slopes[:, bottom] -= sign * ratio / means[:, bottom]
    variance = np.zeros(len(means))
    for place, (one, other) in enumerate(pairs):
        covariance = means[:, width + place] - means[:, one] * means[:, other]
        with np.errstate(invalid="ignore", over="ignore"):
            variance += (1.0 if one == other else 2.0) * slopes[:, one] * slopes[:, other] * covariance
    return value, np.sqrt(np.maximum(variance, 0.0) / max(n - 1, 1))


def _sums(columns: Floats, place: Whole | NDArray[np.intp], count: int) -> Floats:
    return np.stack([np.bincount(place, weights=each, minlength=count) for each in columns.T], axis=1)
