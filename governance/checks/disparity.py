"""Whether groups are treated differently: point values, intervals from counts, a verdict that noise rarely causes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from storage.records.proportions import wilson

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

SCREEN = 0.8
"""The four-fifths screening line; a reference, not a law of nature."""

DETECT = 0.7
"""The true ratio to everyone else that an audit should find four times out of five before it may say "not shown"."""

LEVEL = 0.05
POWER = 0.85
"""A little more than the four times out of five that are promised: the size is an approximation."""

DRAWS = 4_000
MIN_GROUP = 100

Outcome = Literal["shown", "not_shown", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupValue:
    """One group's mean with its 95 % interval, and its ratio to everyone else's. ``p`` is corrected over
    all groups (Holm) and over the audit's comparisons."""

    group: str
    n: int
    value: float
    low: float
    high: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float | None
    named: bool
    too_small: bool
    needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disparity:
    """One metric by group. ``ratio`` and ``difference`` are min / max and max − min over the groups that are large
    enough; ``needed`` is about how many more rows the group ``needed_group`` lacks, the one that
    takes longest if all groups grow alike."""

    groups: tuple[GroupValue, ...]
    overall: float
    ratio: float | None
    difference: float | None
    p: float | None
    outcome: Outcome
    needed: int | None
    needed_group: str | None


def disparity(
    names: Sequence[str],
    counts: Whole,
    values: Floats,
    *,
    rng: np.random.Generator,
    min_group: int = MIN_GROUP,
    family: int = 1,
    draws: int = DRAWS,
) -> Disparity:
    """Compare the mean of ``values`` between groups.

    Parameters
    ----------
    names
        The groups.
    counts
        Shape (groups, outcomes): how many rows of a group had each outcome.
    values
        What an outcome is worth: ``[0, 1]`` for a rate, ``1 / log2(1 + position)`` for exposure.
    rng
        Draws the null: tables with the same margins, in which the group says nothing of the outcome.
    min_group
        Groups below are listed, not judged.
    family
        How many comparisons the audit makes; p-values are multiplied by it (Bonferroni), so that the whole audit of
        equal groups flags something in at most 5 % of runs.

    Notes
    -----
    A disparity is *shown* if the permutation p-value of the largest group-against-rest distance is below 0.05 **and**
    min / max is below 0.8. Conditioning on the margins makes the test exact, so equal groups are flagged in at most
    5 % of audits at any size. Groups are named by their own permutation p-values with Holm's correction: those that
    get less than 0.8 of what everyone else gets, or, if there is none, those that get more than 1 / 0.8. Without a
    finding the verdict is *not shown* only if a true ratio of 0.7 would have been found with probability 0.8; else
    *inconclusive*.
    """
    totals = counts.sum(axis=1)
    judged = (totals >= min_group) & (totals > 0)
    overall = _mean(counts.sum(axis=0)[None], values)[0] if totals.sum() else float("nan")
    intervals = _intervals(counts, values, judged, rng, draws)
    p, each_p = _permutation(counts[judged], values, rng, family=family, draws=draws)
    adjusted = np.full(len(names), np.nan)
    adjusted[judged] = each_p
    means = _mean(counts, values)
    lowest, highest = (float(each(means[judged])) if judged.any() else float("nan") for each in (np.min, np.max))
    comparable = int(judged.sum()) > 1
    ratio = lowest / highest if comparable and highest > 0 else None
    shown = p is not None and ratio is not None and p < LEVEL and ratio < SCREEN
    named = _named(adjusted, intervals)
    missing = _missing(counts, values, judged, family)
    lacking = np.where(judged, missing / np.maximum(totals, 1), -np.inf)
    worst = int(np.argmax(lacking)) if comparable else None
    enough = comparable and ratio is not None and float(lacking.max()) <= 0
    return Disparity(
        groups=tuple(
            GroupValue(
                group=name,
                n=int(totals[place]),
                value=float(means[place]),
                **intervals[place],
                p=_optional(adjusted[place]),
                named=bool(shown and named[place]),
                too_small=not judged[place],
                needed=_whole(missing[place]) if judged[place] else max(0, min_group - int(totals[place])),
            )
            for place, name in enumerate(names)
        ),
        overall=float(overall),
        ratio=ratio,
        difference=highest - lowest if comparable else None,
        p=p,
        outcome="shown" if shown else "not_shown" if enough else "inconclusive",
        needed=_whole(missing[worst]) if worst is not None and not enough and not shown else None,
        needed_group=names[worst] if worst is not None and not enough and not shown else None,
    )


def null_tables(counts: Whole, draws: int, rng: np.random.Generator) -> Whole:
    """Draw tables with the margins of ``counts`` in which rows and columns are independent: (draws, rows, columns)."""
    rows, columns = counts.shape
    left = np.broadcast_to(counts.sum(axis=0), (draws, columns)).copy()
    tables = np.zeros((draws, rows, columns), dtype=np.int64)
    for row, size in enumerate(counts.sum(axis=1)):
        open_places = np.full(draws, size)
        behind = left.sum(axis=1)
        for column in range(columns - 1):
            behind = behind - left[:, column]
            taken = rng.hypergeometric(left[:, column], behind, open_places)
            tables[:, row, column] = taken
            open_places = open_places - taken
        tables[:, row, columns - 1] = open_places
        left -= tables[:, row]
    return tables


def _mean(counts: NDArray[np.int64] | Floats, values: Floats) -> Floats:
    total = counts.sum(axis=-1)
    mean: Floats = np.divide(counts @ values, total, out=np.full(total.shape, np.nan), where=total > 0)
    return mean


def _distance(counts: Whole, values: Floats) -> Floats:
    """Return |mean of the group − mean of all others|, in units of its spread under the null."""
    totals = counts.sum(axis=-1).astype(np.float64)
    every = totals.sum(axis=-1, keepdims=True)
    sums = counts @ values
    all_sums = sums.sum(axis=-1, keepdims=True)
    rest = every - totals
    apart = np.abs(sums / totals - (all_sums - sums) / np.where(rest > 0, rest, np.nan))
    spread = np.sqrt(1.0 / totals + 1.0 / np.where(rest > 0, rest, np.nan))
    return np.asarray(apart / spread, dtype=np.float64)


def _permutation(
    counts: Whole, values: Floats, rng: np.random.Generator, *, family: int, draws: int
) -> tuple[float | None, Floats]:
    """Return the p-value of the largest distance, and each group's own, corrected over the groups; both over the
    family."""
    pooled = counts.sum(axis=0)
    if len(counts) < 2 or np.count_nonzero(pooled[values != values[np.argmax(pooled)]]) == 0:
        return None, np.full(len(counts), np.nan)
    null = _distance(null_tables(counts, draws, rng), values)
    seen = _distance(counts, values) * (1.0 - 1e-12)
    whole = (1.0 + np.count_nonzero(null.max(axis=1) >= seen.max())) / (draws + 1.0)
    each = (1.0 + (null >= seen).sum(axis=0)) / (draws + 1.0)
    return min(1.0, float(whole) * family), np.minimum(1.0, _holm(each) * family)


def _named(p: Floats, intervals: list[dict[str, Any]]) -> NDArray[np.bool_]:
    ratio = np.array([np.nan if each["ratio"] is None else each["ratio"] for each in intervals])
    less = (p < LEVEL) & (ratio < SCREEN)
    return less if less.any() else (p < LEVEL) & (ratio > 1.0 / SCREEN)


def _holm(p: Floats) -> Floats:
    """Correct p-values so that the chance of any false finding is kept (Holm, 1979)."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return corrected


def _intervals(
    counts: Whole, values: Floats, judged: NDArray[np.bool_], rng: np.random.Generator, draws: int
) -> list[dict[str, Any]]:
    """Return each group's interval (Wilson for a rate), and its ratio to everyone else with an interval.

    Intervals of ratios and of means that are no rates are quantiles of Dirichlet draws from the counts with Jeffreys'
    prior, so that no count of zero breaks them.
    """
    prior = np.full(counts.shape[1], 1.0 / counts.shape[1])
    rate = np.array_equal(values, [0.0, 1.0])
    pooled = counts.sum(axis=0)
    found: list[dict[str, Any]] = []
    for row in counts:
        rest = pooled - row
        own = rng.dirichlet(row + prior, draws) @ values
        low, high = wilson(int(row[1]), int(row.sum())) if rate else np.percentile(own, (2.5, 97.5)).tolist()
        base = float(_mean(rest[None], values)[0])
        if not row.sum() or not rest.sum() or not base > 0 or not judged.any():
            found.append({"low": low, "high": high, "ratio": None, "ratio_low": None, "ratio_high": None})
            continue
        ratios = own / (rng.dirichlet(rest + prior, draws) @ values)
        bottom, top = np.percentile(ratios, (2.5, 97.5)).tolist()
        ratio = float(_mean(row[None], values)[0]) / base
        found.append(
            {"low": low, "high": high, "ratio": ratio, "ratio_low": min(bottom, ratio), "ratio_high": max(top, ratio)}
        )
    return found


def _missing(counts: Whole, values: Floats, judged: NDArray[np.bool_], family: int) -> Floats:
    """Return how many more rows each group needs for a true ratio of 0.7 to be found with probability 0.8, while all
    groups grow alike; at most zero where it has enough; infinite where nothing can be said yet."""
    totals = counts.sum(axis=1).astype(np.float64)
    pooled = counts.sum(axis=0)
    mean = float(_mean(pooled[None], values)[0]) if pooled.sum() else 0.0
    if not mean > 0 or judged.sum() < 2:
        return np.full(len(counts), np.inf)
    variance = float(_mean(pooled[None], values**2)[0]) - mean**2
    groups = int(judged.sum())
    reach = float(norm.ppf(1.0 - LEVEL / (2 * groups * family)) + norm.ppf(POWER))
    rest = float(totals[judged].sum()) - totals
    with np.errstate(divide="ignore"):
        spread = variance * (1.0 / totals + 1.0 / np.maximum(rest, 1e-9))
    times = spread * (reach / ((1.0 - DETECT) * mean)) ** 2
    return np.asarray((times - 1.0) * totals, dtype=np.float64)


def _optional(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _whole(value: float) -> int | None:
    return None if not np.isfinite(value) else max(0, ceil(value))
