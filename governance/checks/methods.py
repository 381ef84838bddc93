"""The measures of drift by name: how large a change is, what no drift gives at these sizes, and how surprising it is.

A name that Evidently has too gives Evidently's figure. What no drift gives is known for PSI and the Kolmogorov–Smirnov
distance, and drawn for the others: both windows from the pooled values, at their own sizes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, norm
from scipy.stats.distributions import kstwo

from governance.checks.compared import Compared, Kind
from governance.checks.shift import NULL_QUANTILE, Binned, null_scale, psi

Floats = NDArray[np.float64]

DRAWS, DRAWN_CELLS, QUANTILES = 499, 1_000_000, 64
SEED = 1_706_03762
FEW_VALUES = 20
"""Up to so many distinct numbers Evidently treats each as a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One measure.

    Parameters
    ----------
    effect
        How far apart the two windows are.
    null
        The 99th percentile of ``effect`` without drift at these sizes.
    surprise
        The probability of a change at least this large without drift.
    source
        Where it comes from.
    missing
        Whether it sees missing values; else they are judged as a feature of their own.
    """

    effect: Callable[[Compared, Binned], float]
    null: Callable[[Compared, Binned], float]
    surprise: Callable[[Compared, Binned], float]
    source: str
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset({"number", "category"}))
    missing: bool = False


def _sizes(binned: Binned) -> tuple[int, int]:
    return int(binned.reference.sum()), int(binned.current.sum())


def _freedom(binned: Binned) -> int:
    return max(1, len(binned.bins) - 1)


def _psi(_pair: Compared, binned: Binned) -> float:
    return psi(binned.reference, binned.current)


def _psi_null(_pair: Compared, binned: Binned) -> float:
    return float(chi2.ppf(NULL_QUANTILE, _freedom(binned))) * null_scale(*_sizes(binned))


def _psi_surprise(pair: Compared, binned: Binned) -> float:
    return float(chi2.sf(_psi(pair, binned) / null_scale(*_sizes(binned)), _freedom(binned)))


def _chisquare(_pair: Compared, binned: Binned) -> float:
    first, second = _sizes(binned)
    before, now = binned.reference / first, binned.current / second
    pooled = (binned.reference + binned.current) / (first + second)
    held = pooled > 0
    return float((np.square(before - now)[held] / pooled[held]).sum())


def _chisquare_surprise(pair: Compared, binned: Binned) -> float:
    return float(chi2.sf(_chisquare(pair, binned) / null_scale(*_sizes(binned)), _freedom(binned)))


def _shares(pair: Compared) -> tuple[Floats, Floats]:
    return pair.before / max(1, pair.before.sum()), pair.now / max(1, pair.now.sum())


def _gaps(pair: Compared) -> Floats:
    before, now = _shares(pair)
    return np.abs(np.cumsum(before) - np.cumsum(now))


def _ks(pair: Compared, _binned: Binned) -> float:
    return float(_gaps(pair).max(initial=0.0))


def _harmonic(pair: Compared) -> int:
    before, now = int(pair.before.sum()), int(pair.now.sum())
    return max(1, round(before * now / max(1, before + now)))


def _ks_null(pair: Compared, _binned: Binned) -> float:
    return float(kstwo.isf(1.0 - NULL_QUANTILE, _harmonic(pair)))


def _ks_surprise(pair: Compared, binned: Binned) -> float:
    return float(kstwo.sf(_ks(pair, binned), _harmonic(pair)))


def _wasserstein(pair: Compared, _binned: Binned) -> float:
    distance = float((_gaps(pair)[:-1] * np.diff(pair.support)).sum())
    return distance / _norm(pair)


def _norm(pair: Compared) -> float:
    """Return the standard deviation of the reference, at least 0.001 as Evidently has it."""
    share = _shares(pair)[0]
    mean = float((pair.support * share).sum())
    return max(float(np.sqrt((np.square(pair.support - mean) * share).sum())), 0.001)


def _wasserstein_null(pair: Compared, _binned: Binned) -> float:
    pooled = pair.before + pair.now
    total = int(pooled.sum())
    if total == 0:
        return 0.0
    ends = np.cumsum(pooled)
    places = np.searchsorted(ends, (np.arange(QUANTILES) + 0.5) / QUANTILES * total)
    gaps = np.diff(pair.support[np.minimum(places, len(ends) - 1)])
    rng = np.random.Generator(np.random.PCG64(SEED))
    even = np.full(QUANTILES, 1.0 / QUANTILES)
    first, second = (max(1, int(part.sum())) for part in (pair.before, pair.now))
    drawn = [rng.multinomial(size, even, DRAWS) / size for size in (first, second)]
    apart = np.abs(np.cumsum(drawn[0] - drawn[1], axis=1))[:, :-1]
    return float(np.quantile((apart * gaps).sum(axis=1), NULL_QUANTILE)) / _norm(pair)


def _cells(pair: Compared) -> tuple[Floats, Floats]:
    """Return both windows' counts as Evidently bins them: levels, or Sturges' equal widths over both windows."""
    if pair.kind == "category" or np.count_nonzero(pair.before) <= FEW_VALUES:
        return pair.before.astype(np.float64), pair.now.astype(np.float64)
    low, high = pair.support[0], pair.support[-1]
    width = (high - low) / (np.log2(pair.before.sum() + pair.now.sum()) + 1.0)
    bins = int(np.ceil((high - low) / (max(width, 1.0) if pair.whole else width)))
    edges = np.linspace(low, high, bins + 1)
    counted = [
        np.histogram(pair.support, edges, weights=part)[0].astype(np.float64) for part in (pair.before, pair.now)
    ]
    return counted[0], counted[1]


def _apart(before: Floats, now: Floats) -> Floats:
    """Return Jensen–Shannon distances (Endres and Schindelin, 2003) of counts, one a row."""
    found: Floats = np.asarray(jensenshannon(before, now, axis=-1), dtype=np.float64)
    return np.nan_to_num(found)  # rounding below zero of equal windows


def _stability(before: Floats, now: Floats) -> Floats:
    """Return Evidently's PSI of counts, one a row: empty bins hold 0.0001, or a millionth of the smallest share."""
    filled = []
    for counts in (before, now):
        shares = counts / np.maximum(1.0, counts.sum(axis=-1, keepdims=True))
        least = np.where(shares > 0, shares, np.inf).min(axis=-1, keepdims=True)
        filled.append(np.where(shares > 0, shares, np.where(least <= 0.0001, least / 1e6, 0.0001)))
    found: Floats = ((filled[0] - filled[1]) * np.log(filled[0] / filled[1])).sum(axis=-1)
    return found


def _drawn(distance: Callable[[Floats, Floats], Floats]) -> Callable[[Compared, Binned], float]:
    """Return the 99th percentile of a distance between cells, drawn from the pooled counts."""

    def null(pair: Compared, _binned: Binned) -> float:
        before, now = _cells(pair)
        pooled = before + now
        pooled = pooled[pooled > 0]
        if len(pooled) < 2:
            return 0.0
        draws = int(np.clip(DRAWN_CELLS // len(pooled), 99, DRAWS))
        rng = np.random.Generator(np.random.PCG64(SEED))
        share = pooled / pooled.sum()
        first, second = (rng.multinomial(int(size.sum()), share, draws).astype(np.float64) for size in (before, now))
        return float(np.quantile(distance(first, second), NULL_QUANTILE))

    return null


def _of_cells(distance: Callable[[Floats, Floats], Floats]) -> Callable[[Compared, Binned], float]:
    def effect(pair: Compared, _binned: Binned) -> float:
        before, now = _cells(pair)
        return float(distance(before, now)) if before.sum() and now.sum() else 0.0

    return effect


def _rates(pair: Compared) -> tuple[float, float, float]:
    """Return both shares of the last value and the variance of the difference of their logarithms (Katz, 1978)."""
    variance, shares = 0.0, []
    for part in (pair.before, pair.now):
        came, rows = float(part[-1:].sum()) + 0.5, float(part.sum()) + 0.5
        shares.append(came / rows)
        variance += 1.0 / came - 1.0 / rows
    return shares[0], shares[1], variance


def _rate(pair: Compared, _binned: Binned) -> float:
    before, now, _ = _rates(pair)
    return abs(float(np.log(now / before)))


def _rate_null(pair: Compared, _binned: Binned) -> float:
    return float(norm.ppf((1.0 + NULL_QUANTILE) / 2.0) * np.sqrt(max(0.0, _rates(pair)[2])))


_BINNED = Method(effect=_psi, null=_psi_null, surprise=_psi_surprise, source="Siddiqi, 2006", missing=True)
_DISTANCE = Method(effect=_ks, null=_ks_null, surprise=_ks_surprise, source="Hodges, 1958", kinds=frozenset({"number"}))
_EVIDENTLY = Method(
    effect=_of_cells(_apart), null=_drawn(_apart), surprise=_psi_surprise, source="Endres and Schindelin, 2003"
)

METHODS: Mapping[str, Method] = {
    "psi_deciles": replace(_BINNED, kinds=frozenset({"number"})),
    "psi_levels": replace(_BINNED, kinds=frozenset({"category"})),
    "chisquare": replace(_BINNED, effect=_chisquare, surprise=_chisquare_surprise, source="Pearson, 1900"),
    "ks": _DISTANCE,
    "wasserstein": replace(_DISTANCE, effect=_wasserstein, null=_wasserstein_null, source="Ramdas et al., 2017"),
    "jensenshannon": _EVIDENTLY,
    "rate": replace(_EVIDENTLY, effect=_rate, null=_rate_null, source="Katz et al., 1978"),
    "psi": replace(_EVIDENTLY, effect=_of_cells(_stability), null=_drawn(_stability), source="Evidently"),
}
"""PSI at the deciles of both windows and over levels (rare ones together) see missing values as a bin; ``chisquare`` is
Σ (p − q)² / pooled on the same bins; ``ks`` and ``wasserstein`` (in standard deviations of the reference) read whole
distributions; ``rate`` is the logarithm of how many times as often the last value comes, for outcomes: PSI does not
see a rare one; ``psi`` is Evidently's, on equal widths."""

DEFAULTS: Mapping[Kind, str] = {"number": "psi_deciles", "category": "psi_levels"}
"""Pinned, so that a growing sample does not silently switch the measure."""
