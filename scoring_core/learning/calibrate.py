"""Confidence as a probability: an isotonic map from the ensemble's agreement, and its proof or the lack of it."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.learning.datasets import Examples
from scoring_core.scorers.protocol import Floats, Scores
from storage.records.models import Calibration, Reliability

MIN_CLICKED = 1_000
MAX_ERROR = 0.05
BINS = 10
FOLDS = 5
PARTNERS = 8
REPLICATES = 1_000

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of a clicked and an unclicked impression of one stratum, turned so that the model prefers the first.

    ``raw`` is the share of members that score the first above the second (ties half), ``won`` whether the first is the
    clicked one, ``cluster`` the clicked impression that the pair belongs to.
    """

    raw: Floats
    won: Floats
    weight: Floats
    cluster: Whole
    clicked_impressions: int

    def __len__(self) -> int:
        return len(self.raw)


def agreement(first: Floats, second: Floats) -> Floats:
    """Return, per row, the share of members that score ``first`` above ``second``, ties half.

    >>> agreement(np.array([[1.0, 2.0]]), np.array([[0.0, 2.0]])).tolist()
    [0.75]
    """
    share: Floats = ((first > second) + 0.5 * (first == second)).mean(axis=1)
    return share


def draw_pairs(held_out: Examples, scores: Scores, rng: np.random.Generator) -> Pairs:
    """Pair every clicked impression with up to eight unclicked ones of its stratum.

    Partners are drawn with probability proportional to their weight and the pair weighs what the clicked impression
    weighs, so both sides are inverse-propensity weighted. Pairs that the ensemble's mean cannot tell apart are left
    out: at serving such a pair is never an opinion of the model.
    """
    clicked_rows, partner_rows = [], []
    order = np.argsort(held_out.stratum, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(held_out.stratum[order])) + 1):
        hit, miss = rows[held_out.clicked[rows]], rows[~held_out.clicked[rows]]
        if not len(hit) or not len(miss):
            continue
        heap = np.cumsum(held_out.weight[miss])
        drawn = np.searchsorted(heap, rng.random((len(hit), PARTNERS)) * heap[-1], side="right")
        clicked_rows.append(np.repeat(hit, PARTNERS))
        partner_rows.append(miss[np.minimum(drawn, len(miss) - 1)].ravel())
    nothing = [np.empty(0, dtype=np.int64)]
    clicked, partner = np.concatenate(clicked_rows or nothing), np.concatenate(partner_rows or nothing)
    ahead = scores.values[clicked] - scores.values[partner]
    clicked, partner, ahead = (each[ahead != 0.0] for each in (clicked, partner, ahead))
    right = ahead > 0
    first, second = np.where(right, clicked, partner), np.where(right, partner, clicked)
    return Pairs(
        raw=agreement(scores.members[first], scores.members[second]),
        won=right.astype(np.float64),
        weight=held_out.weight[clicked],
        cluster=np.unique(clicked, return_inverse=True)[1].astype(np.int64),
        clicked_impressions=len(np.unique(clicked)),
    )


def calibrate(pairs: Pairs, *, held_out_share: float, rng: np.random.Generator) -> Calibration:
    """Fit the map on all pairs and judge it out of fold.

    Clicked impressions, not pairs, are dealt to five folds and resampled for the intervals (1,000 draws), since the
    pairs of one click are not independent. ``outcomes_missing`` counts clicked impressions of the whole log, of which
    ``held_out_share`` is held out; None where more of the same would not help.
    """
    clicked = pairs.clicked_impressions
    if clicked < MIN_CLICKED:
        return Calibration(
            clicked_impressions=clicked,
            pairs=len(pairs),
            outcomes_missing=ceil((MIN_CLICKED - clicked) / held_out_share),
        )
    predicted, constant = _out_of_fold(pairs, rng)
    bins = _equal_mass(predicted, pairs.weight)
    error, skill = _judge(pairs, predicted, constant, bins=bins, rng=rng)
    proven = bool(error[2] <= MAX_ERROR and skill[1] > 0.0)
    knots = _isotonic(pairs.raw, pairs.won, pairs.weight)
    return Calibration(
        status="proven" if proven else "unproven",
        x=tuple(float(x) for x in knots.X_thresholds_),
        y=tuple(float(y) for y in knots.y_thresholds_),
        clicked_impressions=clicked,
        pairs=len(pairs),
        error=error[0],
        error_low=error[1],
        error_high=error[2],
        skill=skill[0],
        skill_low=skill[1],
        skill_high=skill[2],
        outcomes_missing=0 if proven else _missing(clicked, error=error, skill=skill, share=held_out_share),
        bins=_reliability(pairs, predicted, bins),
    )


def change(pairs: Pairs, before: Calibration, rng: np.random.Generator) -> tuple[float, float, float, float, float]:
    """Return the Brier loss of a map fitted on these pairs, judged out of fold, that of the map ``before`` (of the
    constant where it has none), and by how much the new one is better, with a 95 % interval over resampled clicked
    impressions."""
    ours, constant = _out_of_fold(pairs, rng)
    theirs = np.interp(pairs.raw, before.x, before.y) if before.x else constant
    sums: Floats = np.stack(
        [
            np.bincount(pairs.cluster, weights=pairs.weight * loss, minlength=pairs.clicked_impressions)
            for loss in ((ours - pairs.won) ** 2, (theirs - pairs.won) ** 2, np.ones(len(pairs)))
        ],
        axis=1,
    )
    drawn = _resampled(sums, rng)
    better = (drawn[:, 1] - drawn[:, 0]) / drawn[:, 2]
    new, old, mass = (float(each) for each in sums.sum(axis=0))
    low, high = (float(end) for end in np.percentile(better, (2.5, 97.5)))
    return new / mass, old / mass, (old - new) / mass, low, high


def words(calibration: Calibration) -> str:
    """Return what a page may say of a calibration, in one sentence."""
    missing = calibration.outcomes_missing
    if calibration.status == "uncalibrated":
        return (
            f"Uncalibrated: held-out time has {calibration.clicked_impressions:,} clicked impressions, "
            f"{MIN_CLICKED:,} are needed; about {missing:,} more outcomes."
        )
    found = (
        f"calibration error {calibration.error:.3f} [{calibration.error_low:.3f}, {calibration.error_high:.3f}], "
        f"Brier skill {calibration.skill:+.3f} [{calibration.skill_low:+.3f}, {calibration.skill_high:+.3f}]"
    )
    if calibration.status == "proven":
        return f"Proven: {found}."
    more = f"about {missing:,} more outcomes" if missing else "more of the same outcomes would not prove it"
    return f"Unproven, {more}: {found}."


def _isotonic(raw: Floats, won: Floats, weight: Floats) -> Any:
    from sklearn.isotonic import IsotonicRegression  # heavy, and only training needs it

    model = IsotonicRegression(y_min=0.0, y_max=1.0, increasing=True, out_of_bounds="clip")
    return model.fit(raw, won, sample_weight=weight)


def _out_of_fold(pairs: Pairs, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Predict each pair, and the constant that it is measured against, from the other folds."""
    fold = (rng.permutation(pairs.clicked_impressions) % FOLDS)[pairs.cluster]
    predicted, constant = np.empty(len(pairs)), np.empty(len(pairs))
    for held in range(FOLDS):
        rest, own = fold != held, fold == held
        model = _isotonic(pairs.raw[rest], pairs.won[rest], pairs.weight[rest])
        predicted[own] = model.predict(pairs.raw[own])
        constant[own] = np.average(pairs.won[rest], weights=pairs.weight[rest])
    return predicted, constant


def _equal_mass(predicted: Floats, weight: Floats) -> Whole:
    """Cut the predictions into ten bins of equal weight; equal predictions share a bin."""
    levels, place = np.unique(predicted, return_inverse=True)
    mass = np.bincount(place, weights=weight)
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    _, bins = np.unique(np.minimum((middle * BINS).astype(np.int64), BINS - 1), return_inverse=True)
    return np.asarray(bins[place], dtype=np.int64) if len(levels) else place.astype(np.int64)


def _judge(
    pairs: Pairs, predicted: Floats, constant: Floats, *, bins: Whole, rng: np.random.Generator
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return calibration error and Brier skill, each with a 95 % interval over resampled clicked impressions."""
    count, width = pairs.clicked_impressions, int(bins.max()) + 1
    gap = np.zeros((count, width))
    np.add.at(gap, (pairs.cluster, bins), pairs.weight * (pairs.won - predicted))
    mass = np.bincount(pairs.cluster, weights=pairs.weight, minlength=count)
    loss = np.bincount(pairs.cluster, weights=pairs.weight * (predicted - pairs.won) ** 2, minlength=count)
    rival = np.bincount(pairs.cluster, weights=pairs.weight * (constant - pairs.won) ** 2, minlength=count)
    sums = np.column_stack([gap, mass, loss, rival])

    def figures(total: Floats) -> tuple[Floats, Floats]:
        error = np.abs(total[:, :width]).sum(axis=1) / total[:, width]
        return error, 1.0 - total[:, width + 1] / total[:, width + 2]

    error, skill = figures(np.asarray(sums.sum(axis=0)[None], dtype=np.float64))
    errors, skills = figures(_resampled(sums, rng))
    ends = (2.5, 97.5)
    low, high = (float(end) for end in np.percentile(errors, ends))
    return (
        # noise only adds to a sum of absolute gaps, so resampled errors lean upwards
        (float(error[0]), min(low, float(error[0])), high),
        (float(skill[0]), *(float(end) for end in np.percentile(skills, ends))),
    )  # type: ignore[return-value]  # two ends each


def _resampled(rows: Floats, rng: np.random.Generator) -> Floats:
    """Return the sum of the rows in each of 1,000 draws of as many rows with replacement."""
    count = len(rows)
    times = (np.bincount(rng.integers(0, count, count, dtype=np.int32), minlength=count) for _ in range(REPLICATES))
    return np.stack([each.astype(np.float64) @ rows for each in times])


def _missing(
    clicked: int, *, error: tuple[float, float, float], skill: tuple[float, float, float], share: float
) -> int | None:
    """Return about how many more clicks the log needs, if noise alone stands in the way: it shrinks as 1 / sqrt(n)."""
    times = 1.0
    if skill[1] <= 0.0:
        if skill[0] <= 0.0:
            return None
        times = max(times, ((skill[0] - skill[1]) / skill[0]) ** 2)
    if error[2] > MAX_ERROR:
        noise = error[2] - error[1]
        bias = max(0.0, error[0] - noise)
        if bias >= MAX_ERROR:
            return None
        times = max(times, ((error[2] - bias) / (MAX_ERROR - bias)) ** 2)
    return max(1, ceil(clicked * (times - 1.0) / share))


def _reliability(pairs: Pairs, predicted: Floats, bins: Whole) -> tuple[Reliability, ...]:
    mass = np.bincount(bins, weights=pairs.weight)
    return tuple(
        Reliability(
            predicted=float(np.bincount(bins, weights=pairs.weight * predicted)[each] / mass[each]),
            observed=float(np.bincount(bins, weights=pairs.weight * pairs.won)[each] / mass[each]),
            count=int((bins == each).sum()),
        )
        for each in range(len(mass))
    )
