"""Whether groups are treated differently: point values, intervals from counts, a verdict that noise rarely causes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from governance.checks.permutation import Floats, Whole, mean, null_tables, permutation, spread
from storage.records.proportions import wilson

__all__ = ["DETECT", "LEVEL", "MIN_GROUP", "SCREEN", "Disparity", "GroupValue", "disparity", "null_tables"]

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
    all groups (Holm) and over the audit's comparisons. ``adjusted`` is the mean at equal strata, None without any;
    ``alike`` is how many of the group's rows count as one."""

    group: str
    n: int
    value: float
    adjusted: float | None = None
    low: float
    high: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float | None
    named: bool
    too_small: bool
    needed: int | None
    alike: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disparity:
    """One metric by group. ``ratio`` and ``difference`` are min / max and max − min over the groups that are large
    enough (at equal strata, where there are any); ``needed`` is about how many more rows the group ``needed_group``
    lacks, the one that takes longest if all groups grow alike; ``growth`` how many times as many rows as there are
    find a true ratio of ``DETECT`` four times out of five, None where nothing can be said yet."""

    groups: tuple[GroupValue, ...]
    overall: float
    ratio: float | None
    difference: float | None
    p: float | None
    outcome: Outcome
    needed: int | None
    needed_group: str | None
    growth: float | None = None


def disparity(
    names: Sequence[str],
    counts: Whole,
    values: Floats,
    *,
    rng: np.random.Generator,
    min_group: int = MIN_GROUP,
    family: int = 1,
    draws: int = DRAWS,
    inflation: Floats | None = None,
) -> Disparity:
    """Compare the mean of ``values`` between groups.

    Parameters
    ----------
    names
        The groups.
    counts
        Shape (groups, outcomes), or (strata, groups, outcomes): how many rows of a group had each outcome. Groups are
        compared within strata only.
    values
        What an outcome is worth: ``[0, 1]`` for a rate, ``1 / log2(1 + position)`` for exposure.
    rng
        Draws the null: tables with the same margins, in which the group says nothing of the outcome.
    min_group
        Groups below are listed, not judged.
    family
        How many comparisons the audit makes; p-values are multiplied by it (Bonferroni), so that the whole audit of
        equal groups flags something in at most 5 % of runs.
    inflation
        By group, how many rows count as one because rows of one person are alike (``clusters.inflation``); tests and
        intervals take the counts divided by it.

    Notes
    -----
    A disparity is *shown* if the permutation p-value of the largest group-against-rest distance is below 0.05 **and**
    min / max is below 0.8. Conditioning on the margins makes the test exact, so equal groups are flagged in at most
    5 % of audits at any size. Groups are named by their own permutation p-values with Holm's correction: those that
    get less than 0.8 of what everyone else gets, or, if there is none, those that get more than 1 / 0.8. Without a
    finding the verdict is *not shown* only if a true ratio of 0.7 would have been found with probability 0.8; else
    *inconclusive*.

    References
    ----------
    Rao and Scott, A Simple Method for the Analysis of Clustered Binary Data, Biometrics 48 (1992), for ``inflation``.
    """
    counts = counts[None] if counts.ndim == 2 else counts
    weight = np.ones(len(names)) if inflation is None else np.maximum(1.0, inflation)
    alike = counts if inflation is None else np.rint(counts / weight[:, None]).astype(np.int64)
    totals = counts.sum(axis=(0, 2))
    judged = (alike.sum(axis=(0, 2)) >= min_group) & (totals > 0)
    overall = mean(counts.sum(axis=(0, 1))[None], values)[0]
    intervals = _intervals(counts, alike, values, rng=rng, draws=draws)
    p, each_p = permutation(alike[:, judged], values, rng, family=family, draws=draws)
    corrected = np.full(len(names), np.nan)
    corrected[judged] = each_p
    means = mean(counts.sum(axis=0), values)
    level = means if len(counts) == 1 else _adjusted(counts, values, float(overall))
    lowest, highest = (float(each(level[judged])) if judged.any() else float("nan") for each in (np.min, np.max))
    comparable = int(judged.sum()) > 1
    ratio = lowest / highest if comparable and highest > 0 else None
    shown = p is not None and ratio is not None and p < LEVEL and ratio < SCREEN
    named = _named(corrected, intervals)
    planned = judged if comparable else alike.sum(axis=(0, 2)) > 0
    times = _times(alike, values, planned, float(overall), family)
    if not comparable:
        times = np.maximum(times, _room(alike, min_group))
    missing = np.where(np.isfinite(times), times - 1.0, 0.0) * totals
    missing[~np.isfinite(times)] = np.inf
    growth = float(times[planned].max()) if planned.sum() > 1 else float("inf")
    enough = ratio is not None and growth <= 1.0
    lacks = None
    if not enough and not shown and np.isfinite(growth):
        lacks = int(np.argmax(np.where(planned, times, -np.inf)))
    return Disparity(
        groups=tuple(
            GroupValue(
                group=name,
                n=int(totals[place]),
                value=float(means[place]),
                adjusted=_optional(level[place]) if len(counts) > 1 else None,
                alike=float(weight[place]),
                **intervals[place],
                p=_optional(corrected[place]),
                named=bool(shown and named[place]),
                too_small=not judged[place],
                needed=_whole(missing[place])
                if judged[place]
                else _whole(min_group * weight[place] - float(totals[place])),
            )
            for place, name in enumerate(names)
        ),
        overall=float(overall),
        ratio=ratio,
        difference=highest - lowest if comparable else None,
        p=p,
        outcome="shown" if shown else "not_shown" if enough else "inconclusive",
        needed=None if lacks is None else _whole(missing[lacks]),
        needed_group=None if lacks is None else names[lacks],
        growth=growth if np.isfinite(growth) else None,
    )


def _adjusted(counts: Whole, values: Floats, overall: float) -> Floats:
    """Return each group's mean at the strata of all: overall × observed ÷ expected (indirect standardization)."""
    expected = (counts.sum(axis=2) * np.nan_to_num(mean(counts.sum(axis=1), values))[:, None]).sum(axis=0)
    observed = (counts @ values).sum(axis=0)
    found: Floats = overall * np.divide(observed, expected, out=np.full(len(expected), np.nan), where=expected > 0)
    return found


def _named(p: Floats, intervals: list[dict[str, Any]]) -> NDArray[np.bool_]:
    ratio = np.array([np.nan if each["ratio"] is None else each["ratio"] for each in intervals])
    less = (p < LEVEL) & (ratio < SCREEN)
    return less if less.any() else (p < LEVEL) & (ratio > 1.0 / SCREEN)


def _intervals(
    counts: Whole, alike: Whole, values: Floats, *, rng: np.random.Generator, draws: int
) -> list[dict[str, Any]]:
    """Return each group's interval (Wilson for a rate), and its ratio to everyone else with an interval.

    Over strata the ratio is that of Mantel and Haenszel. Intervals of ratios and of means that are no rates are
    quantiles of Dirichlet draws from the counts with Jeffreys' prior, spread over the strata by their size, so that no
    count of zero breaks them.
    """
    rate = np.array_equal(values, [0.0, 1.0])
    every = counts.sum(axis=(1, 2)).astype(np.float64)
    share = np.divide(1.0, every, out=np.zeros_like(every), where=every > 0)
    found: list[dict[str, Any]] = []
    for place in range(counts.shape[1]):
        own, rest = counts[:, place], counts.sum(axis=1) - counts[:, place]
        lean, others = alike[:, place], alike.sum(axis=1) - alike[:, place]
        drawn = _drawn(lean, values, rng, draws)
        sizes = own.sum(axis=1).astype(np.float64)
        if rate:
            low, high = wilson(int(lean[:, 1].sum()), int(lean.sum()))
        elif sizes.sum():
            low, high = np.percentile(drawn @ (sizes / sizes.sum()), (2.5, 97.5)).tolist()
        else:
            low, high = float(values.min()), float(values.max())
        mine, theirs = (own @ values) * rest.sum(axis=1) * share, (rest @ values) * sizes * share
        if not theirs.sum() > 0 or not sizes.sum():
            found.append({"low": low, "high": high, "ratio": None, "ratio_low": None, "ratio_high": None})
            continue
        weight = sizes * rest.sum(axis=1) * share
        ratios = (drawn @ weight) / (_drawn(others, values, rng, draws) @ weight)
        bottom, top = np.percentile(ratios, (2.5, 97.5)).tolist()
        ratio = float(mine.sum() / theirs.sum())
        found.append(
            {"low": low, "high": high, "ratio": ratio, "ratio_low": min(bottom, ratio), "ratio_high": max(top, ratio)}
        )
    return found


def _drawn(counts: Whole, values: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Return draws of the mean of each stratum: (draws, strata)."""
    total, outcomes = max(1, int(counts.sum())), counts.shape[1]
    prior = np.maximum(counts.sum(axis=1) / total, 1e-6) / outcomes
    return np.stack(
        [rng.dirichlet(row + each, draws) @ values for row, each in zip(counts, prior, strict=True)], axis=1
    )


def _times(counts: Whole, values: Floats, judged: NDArray[np.bool_], overall: float, family: int) -> Floats:
    """Return how many times its rows each group needs for a true ratio of 0.7 to be found with probability 0.8, while
    all groups grow alike; infinite where nothing can be said yet."""
    groups = int(judged.sum())
    if not overall > 0 or groups < 2:
        return np.full(counts.shape[1], np.inf)
    sizes = counts.sum(axis=2).astype(np.float64)
    rest = sizes[:, judged].sum(axis=1, keepdims=True) - sizes * judged
    every = sizes + rest
    information = np.divide(sizes * rest, every, out=np.zeros_like(sizes), where=every > 0)
    reach = float(norm.ppf(1.0 - LEVEL / (2 * groups * family)) + norm.ppf(POWER))
    total = information.sum(axis=0)
    noise = (information * spread(counts, values)[:, None]).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(total > 0, noise / total**2, np.inf)
    return np.asarray(variance * (reach / ((1.0 - DETECT) * overall)) ** 2, dtype=np.float64)


def _room(counts: Whole, min_group: int) -> float:
    """Return how many times its rows the second largest group needs to be judged."""
    sizes = np.sort(counts.sum(axis=(0, 2)))
    return min_group / float(sizes[-2]) if len(sizes) > 1 and sizes[-2] else float("inf")


def _optional(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _whole(value: float) -> int | None:
    return None if not np.isfinite(value) else max(0, ceil(value))
