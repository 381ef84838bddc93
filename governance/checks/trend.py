"""How a measure's groups stood to everyone else, period by period, and when the policy changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.checks.comparison import number
from governance.checks.permutation import Floats
from governance.checks.population import Grouping, Measure, counted
from storage.records.clock import DAY
from storage.records.proportions import Z

LENGTHS = (("day", DAY), ("week", 7 * DAY), ("4 weeks", 28 * DAY))
MOST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The time of a population cut into equal periods: the place of each row, and when each period begins."""

    unit: str
    codes: NDArray[np.integer]
    starts: tuple[int, ...]


def periods(at: NDArray[np.int64]) -> Periods:
    """Cut at days, weeks, or four weeks: the shortest that make at most sixteen."""
    if not len(at):
        return Periods(unit="day", codes=np.empty(0, dtype=np.int64), starts=())
    first, last = int(at.min()), int(at.max())
    name, length = next((each for each in LENGTHS if (last - first) // each[1] < MOST), LENGTHS[-1])
    base = first // DAY * DAY
    codes = (at - base) // length
    return Periods(unit=name, codes=codes, starts=tuple(base + length * place for place in range(int(codes.max()) + 1)))


def trend(
    groups: Grouping, measure: Measure, over: Periods, *, min_group: int, alike: Floats
) -> list[Mapping[str, Any]]:
    """Return each period's ratio of every group to everyone else, with a 95 % interval.

    The interval is that of the logarithm of a ratio of means (Katz et al., Obtaining Confidence Intervals for the Risk
    Ratio in Cohort Studies, Biometrics 34, 1978), rows of one owner counting as ``alike`` says. Groups below
    ``min_group`` in a period have no ratio in it.
    """
    found: list[Mapping[str, Any]] = []
    plain = Measure(name=measure.name, words=measure.words, outcomes=measure.outcomes, values=measure.values)
    for place, start in enumerate(over.starts):
        inside = np.where(over.codes == place, groups.codes, -1)
        counts = counted(Grouping(by=groups.by, names=groups.names, levels=groups.levels, codes=inside), plain)
        found.append(
            {
                "start": start,
                "n": int(counts.sum()),
                "groups": [
                    {"group": name, **_stand(counts, measure.values, which, min_group, float(alike[which]))}
                    for which, name in enumerate(groups.names)
                ],
            }
        )
    return found


def _stand(counts: NDArray[np.int64], values: Floats, place: int, least: int, alike: float) -> dict[str, Any]:
    own, rest = counts[place], counts.sum(axis=0) - counts[place]
    told: dict[str, Any] = {"n": int(own.sum()), "ratio": None, "low": None, "high": None}
    if own.sum() < least or rest.sum() < least:
        return told
    (mean, error), (base, other) = (_mean(each, values) for each in (own, rest))
    if not mean > 0 or not base > 0:
        return told
    half = Z * float(np.sqrt((error + other) * alike))
    ratio = mean / base
    return told | {"ratio": number(ratio), "low": number(ratio * np.exp(-half)), "high": number(ratio * np.exp(half))}


def _mean(counts: NDArray[np.int64], values: Floats) -> tuple[float, float]:
    """Return a mean and the variance of its logarithm."""
    total = float(counts.sum())
    mean = float(counts @ values) / total
    spread = float(counts @ values**2) / total - mean**2
    return mean, (spread / (total * mean**2) if mean > 0 else float("nan"))


def flips(at: NDArray[np.int64], versions: Sequence[str], codes: NDArray[np.integer]) -> list[dict[str, Any]]:
    """Return when each policy version was first and last seen, oldest first."""
    found = []
    for place, name in enumerate(versions):
        seen = at[codes == place]
        if len(seen):
            found.append({"version": name, "first": int(seen.min()), "last": int(seen.max()), "n": len(seen)})
    return sorted(found, key=lambda one: (one["first"], one["version"]))
