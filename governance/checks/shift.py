"""Whether a feature's distribution moved: PSI against what no drift gives at these sizes, over a family of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MATERIAL = 0.1
NULL_QUANTILE = 0.99
FAMILY_LEVEL = 0.005
"""Benjamini–Hochberg's level; without any drift also the chance of one false red light per audit. The null of PSI is up
to twice too narrow that far out, where bins hold few rows: so half of what is promised."""

MIN_ROWS = 500
MAX_BINS = 10
MAX_LEVELS = 80
MIN_EXPECTED = 5.0
SMOOTHING = 0.5

MISSING = "(missing)"
OTHER = "(other)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """One feature's rows of both windows in the same bins."""

    bins: tuple[str, ...]
    reference: Whole
    current: Whole
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far a feature moved. ``statistical``: beyond the null, over the whole family; ``material``: large enough to
    matter at these sizes. Both None where a window has fewer than 500 rows."""

    psi: float
    threshold: float
    p: float
    q: float
    statistical: bool | None
    material: bool | None


def psi(reference: Whole, current: Whole) -> float:
    """Return the population stability index; half a row is added to each bin, so an empty one is no infinity.

    >>> psi(np.array([50, 50]), np.array([50, 50]))
    0.0
    """
    bins = len(reference)
    expected = (reference + SMOOTHING) / (reference.sum() + SMOOTHING * bins)
    actual = (current + SMOOTHING) / (current.sum() + SMOOTHING * bins)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def null_scale(reference: int, current: int) -> float:
    """Return s such that, without drift, PSI is about s · χ²(bins − 1): 1/n_ref + 1/n_cur."""
    return 1.0 / reference + 1.0 / current


def bin_numbers(reference: Floats, current: Floats) -> Binned:
    """Cut two windows of numbers at the deciles of both together; what is missing has a bin."""
    kept = [np.sort(part[np.isfinite(part)]) for part in (reference, current)]
    support = np.unique(np.concatenate(kept))
    counts = [np.diff(np.searchsorted(part, support, side="right"), prepend=0) for part in kept]
    missing = len(reference) - len(kept[0]), len(current) - len(kept[1])
    return bin_support(support, counts[0], counts[1], missing)


def bin_support(support: Floats, reference: Whole, current: Whole, missing: tuple[int, int] = (0, 0)) -> Binned:
    """Cut the counts of ordered numbers at the deciles of both windows together, so that neither is privileged; missing
    values have a bin."""
    windows = (reference, current)
    if len(support) <= MAX_BINS:
        edges = support[:-1]
    else:
        ends = np.cumsum(reference + current)
        deciles = np.ceil(ends[-1] * np.arange(1, MAX_BINS) / MAX_BINS).astype(np.int64)
        edges = np.unique(support[np.searchsorted(ends, deciles)])
    names = _ranges(support, edges)
    starts = np.concatenate([[0], np.searchsorted(support, edges, side="right")]).astype(np.int64)
    starts = starts[starts < len(support)]
    names = names[: len(starts)]
    before, now = (
        np.append(np.add.reduceat(part, starts) if len(support) else np.empty(0), gone).astype(np.int64)
        for part, gone in zip(windows, missing, strict=True)
    )
    return _merged(Binned(bins=(*names, MISSING), reference=before, current=now))


def bin_categories(levels: Sequence[str | None], reference: Whole, current: Whole) -> Binned:
    """Count levels: the 80 most frequent, the rest together; a missing value is a level of its own."""
    names = tuple(MISSING if level is None else level for level in levels)
    order = np.argsort(-(reference + current), kind="stable")
    kept, rest = order[:MAX_LEVELS], order[MAX_LEVELS:]
    binned = Binned(
        bins=(*(names[place] for place in kept), OTHER),
        reference=np.append(reference[kept], reference[rest].sum()).astype(np.int64),
        current=np.append(current[kept], current[rest].sum()).astype(np.int64),
        new=tuple(name for name, before, now in zip(names, reference, current, strict=True) if now and not before),
    )
    return _merged(binned)


def judge(features: Sequence[Binned]) -> list[Shift]:
    """Return both lights of every feature, by PSI.

    The statistical light is Benjamini–Hochberg over the features that have enough rows; the material one asks
    PSI ≥ max(0.1, the null's 99th percentile).
    """
    sizes = [(int(each.reference.sum()), int(each.current.sum())) for each in features]
    values = [
        psi(each.reference, each.current) if min(size) else 0.0 for each, size in zip(features, sizes, strict=True)
    ]
    scales = [null_scale(*size) if min(size) else np.inf for size in sizes]
    freedom = [max(1, len(each.bins) - 1) for each in features]
    p = [float(chi2.sf(value / scale, df)) for value, scale, df in zip(values, scales, freedom, strict=True)]
    nulls = [float(chi2.ppf(NULL_QUANTILE, df)) * scale for scale, df in zip(scales, freedom, strict=True)]
    return [
        Shift(
            psi=value,
            threshold=light.threshold,
            p=chance,
            q=light.q,
            statistical=light.statistical,
            material=light.material,
        )
        for value, chance, light in zip(values, p, lights(values, nulls, p, sizes), strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """What is said of one feature: ``q`` is its p-value over the whole family; both lights None below 500 rows."""

    threshold: float
    q: float
    statistical: bool | None
    material: bool | None

    @property
    def red(self) -> bool:
        """Whether both lights are on."""
        return bool(self.statistical and self.material)


def lights(
    effects: Sequence[float], nulls: Sequence[float], p: Sequence[float], sizes: Sequence[tuple[int, int]]
) -> list[Lights]:
    """Return both lights of a family of features from the size of each change, the 99th percentile of that without
    drift, and how surprising it is."""
    enough = np.array([min(size) >= MIN_ROWS for size in sizes], dtype=np.bool_)
    adjusted = np.ones(len(effects))
    adjusted[enough] = benjamini_hochberg(np.asarray(p, dtype=np.float64)[enough])
    return [
        Lights(
            threshold=(threshold := max(MATERIAL, null)),
            q=float(q),
            statistical=bool(q <= FAMILY_LEVEL) if known else None,
            material=bool(effect >= threshold) if known else None,
        )
        for effect, null, q, known in zip(effects, nulls, adjusted, enough, strict=True)
    ]


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg, 1995).

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    count = len(p)
    order = np.argsort(p)[::-1]
    scaled = p[order] * count / np.arange(count, 0, -1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled)) if count else scaled
    return adjusted


def _merged(binned: Binned) -> Binned:
    """Put bins that are expected to hold fewer than five rows of the smaller window together; drop empty ones."""
    total = binned.reference + binned.current
    smaller = min(int(binned.reference.sum()), int(binned.current.sum()))
    expected = total * (smaller / max(1, int(total.sum())))
    small = expected < MIN_EXPECTED
    large = np.flatnonzero(~small)
    names = tuple(binned.bins[place] for place in large)
    reference, current = binned.reference[large], binned.current[large]
    if total[small].sum():
        names = (*(name for name in names if name != OTHER), OTHER)
        apart = np.array([binned.bins[place] == OTHER for place in large], dtype=np.bool_)
        rest = np.flatnonzero(small)
        reference, current = (
            np.append(kept[~apart], kept[apart].sum() + whole[rest].sum())
            for kept, whole in ((reference, binned.reference), (current, binned.current))
        )
    return Binned(bins=names, reference=reference, current=current, new=binned.new)


def _ranges(levels: Floats, edges: Floats) -> tuple[str, ...]:
    if not len(levels):
        return ()
    if len(levels) == len(edges) + 1 <= MAX_BINS:
        return tuple(f"{level:g}" for level in levels)
    cuts = [f"{edge:.4g}" for edge in edges]
    return (f"≤ {cuts[0]}", *(f"{low} – {high}" for low, high in pairwise(cuts)), f"> {cuts[-1]}")
