"""How well scores order impressions on held-out time, with intervals, and against popularity."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.learning.datasets import Examples
from scoring_core.scorers.protocol import Floats

Z95 = 1.959963984540054
PRIOR_IMPRESSIONS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance:
    """How often a clicked impression scores above an unclicked one of its stratum, ties half; 0.5 is chance."""

    values: Floats
    covariance: Floats
    clicks: int
    impressions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A model against a rival on held-out time: concordances with 95 % intervals, their difference, and words."""

    rival: str
    impressions: int
    clicks: int
    model: float | None
    model_low: float | None
    model_high: float | None
    rival_value: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    clicks_missing: int | None
    verdict: str
    sentence: str

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        return asdict(self)


def concordance(
    clicked: NDArray[np.bool_], scores: Sequence[Floats], *, weight: Floats, stratum: NDArray[np.int64]
) -> Concordance:
    """Return the weighted, stratified concordance of several scorers and their joint covariance.

    The covariance is that of the influence function; with equal weights and one stratum it is DeLong's up to
    (n − 1) / n.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988).

    Examples
    --------
    >>> clicked = np.array([True, False, False, True])
    >>> one = np.zeros(4, dtype=np.int64)
    >>> concordance(clicked, [np.array([3.0, 1.0, 2.0, 1.5])], weight=np.ones(4), stratum=one).values.tolist()
    [0.75]
    """
    above = np.zeros((len(scores), len(clicked)))
    facing = np.zeros(len(clicked))
    order = np.argsort(stratum, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1):
        hit, miss = rows[clicked[rows]], rows[~clicked[rows]]
        if not len(hit) or not len(miss):
            continue
        facing[hit], facing[miss] = weight[miss].sum(), weight[hit].sum()
        for place, score in enumerate(scores):
            above[place, hit] = _weight_below(score[hit], score[miss], weight[miss])
            above[place, miss] = facing[miss] - _weight_below(score[miss], score[hit], weight[hit])
    pairs = float((weight * facing)[clicked].sum())
    used = facing > 0
    clicks = int((clicked & used).sum())
    if pairs <= 0:
        nothing = np.full(len(scores), np.nan)
        return Concordance(
            values=nothing, covariance=np.outer(nothing, nothing), clicks=clicks, impressions=int(used.sum())
        )
    values = (above * weight)[:, clicked].sum(axis=1) / pairs
    influence = weight * (above - values[:, None] * facing) / pairs
    return Concordance(values=values, covariance=influence @ influence.T, clicks=clicks, impressions=int(used.sum()))


def _weight_below(scores: Floats, others: Floats, weight: Floats) -> Floats:
    order = np.argsort(others, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    ranked = others[order]
    under: Floats = total[np.searchsorted(ranked, scores, side="left")]
    under_or_equal: Floats = total[np.searchsorted(ranked, scores, side="right")]
    return (under + under_or_equal) / 2.0


class Popularity:
    """Each item's weighted click rate, counted a part of the past at a time."""

    def __init__(self, items: int) -> None:
        self._shown, self._clicks = np.zeros(items), np.zeros(items)
        self._group: NDArray[np.int64] = np.full(items, -1, dtype=np.int64)
        self._groups: dict[str, int] = {}
        self._mass: Floats = np.zeros(0)
        self._gain: Floats = np.zeros(0)
        self._rows = 0

    def add(self, history: Examples) -> None:
        """Count more of the past."""
        weight, items = history.weight, len(self._shown)
        self._shown += np.bincount(history.ordinal, weights=weight, minlength=items)
        self._clicks += np.bincount(history.ordinal, weights=weight * history.clicked, minlength=items)
        names, place = np.unique(history.campaign.astype(str), return_inverse=True)
        codes = np.array([self._groups.setdefault(name, len(self._groups)) for name in names.tolist()], dtype=np.int64)
        group = codes[place] if len(codes) else np.empty(0, dtype=np.int64)
        grown = len(self._groups)
        self._mass = np.pad(self._mass, (0, grown - len(self._mass)))
        self._gain = np.pad(self._gain, (0, grown - len(self._gain)))
        self._mass += np.bincount(group, weights=weight, minlength=grown)
        self._gain += np.bincount(group, weights=weight * history.clicked, minlength=grown)
        self._group[history.ordinal] = group
        self._rows += len(history)

    def rates(self) -> Floats:
        """Return each item's click rate, drawn to its campaign's rate by 100 impressions of average weight."""
        mass = float(self._mass.sum())
        prior = np.full(len(self._shown), float(self._gain.sum() / max(mass, 1e-12)))
        known = self._group >= 0
        prior[known] = (self._gain / np.maximum(self._mass, 1e-12))[self._group[known]]
        strength = PRIOR_IMPRESSIONS * (mass / self._rows if self._rows else 1.0)
        return np.asarray((self._clicks + strength * prior) / (self._shown + strength), dtype=np.float64)


def popularity(history: Examples, items: int) -> Floats:
    """Return each item's weighted click rate in ``history``, drawn to its campaign's rate by 100 impressions."""
    counted = Popularity(items)
    counted.add(history)
    return counted.rates()


def compare(held_out: Examples, model: Floats, rival: Floats, *, against: str) -> Evaluation:
    """Say whether ``model`` orders held-out impressions better than ``rival``."""
    measured = concordance(held_out.clicked, [model, rival], weight=held_out.weight, stratum=held_out.stratum)
    if np.isnan(measured.values).any():
        return _nothing(measured, against)
    value, other = (float(each) for each in measured.values)
    covariance = measured.covariance
    half = Z95 * sqrt(covariance[0, 0])
    difference = value - other
    reach = Z95 * sqrt(max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    low, high = difference - reach, difference + reach
    verdict = "better" if low > 0 else "worse" if high < 0 else "no_better"
    settled = verdict != "no_better"
    missing = None
    if not settled and difference != 0.0:
        missing = ceil(measured.clicks * ((reach / abs(difference)) ** 2 - 1.0)) or 1
    said = {"better": "Better than", "worse": "Worse than", "no_better": "Not shown to be better than"}[verdict]
    return Evaluation(
        rival=against,
        impressions=measured.impressions,
        clicks=measured.clicks,
        model=value,
        model_low=max(0.0, value - half),
        model_high=min(1.0, value + half),
        rival_value=other,
        difference=difference,
        difference_low=low,
        difference_high=high,
        clicks_missing=missing,
        verdict=verdict,
        sentence=(
            f"{said} {against} on held-out time: a clicked impression scores above an unclicked one in "
            f"{value:.1%} of pairs against {other:.1%}; difference {difference:+.1%} "
            f"[{low:+.1%}, {high:+.1%}], {measured.clicks} clicks."
            + (f" About {missing:,} more held-out clicks would settle a difference of this size." if missing else "")
        ),
    )


def _nothing(measured: Concordance, against: str) -> Evaluation:
    return Evaluation(
        rival=against,
        impressions=measured.impressions,
        clicks=measured.clicks,
        model=None,
        model_low=None,
        model_high=None,
        rival_value=None,
        difference=None,
        difference_low=None,
        difference_high=None,
        clicks_missing=None,
        verdict="unknown",
        sentence=f"Not compared with {against}: held-out time has no clicked beside an unclicked impression.",
    )
