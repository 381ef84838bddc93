"""One measure of one grouping: Fairlearn's values, our verdict, and a sentence that says it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.checks.clusters import inflation
from governance.checks.disparity import DETECT, DRAWS, MIN_GROUP, Disparity, Outcome, disparity
from governance.checks.points import Points
from governance.checks.population import Grouping, Measure, counted
from storage.records.findings import Verdict

VERDICTS: Mapping[Outcome, Verdict] = {"shown": "fail", "not_shown": "pass", "inconclusive": "unknown"}
MOST_NAMED = 3
"""A sentence names so many groups, the rest by their number."""
WORST: tuple[Outcome, ...] = ("shown", "inconclusive", "not_shown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms an audit judges: the least group, how many comparisons it makes, the draws of its null, and what
    its rows are called."""

    rng: np.random.Generator
    family: int
    min_group: int = MIN_GROUP
    unit: str = "rows"

    @property
    def draws(self) -> int:
        """So many that the corrected p-value of the clearest finding is far below the level."""
        return max(DRAWS, 60 * self.family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A measure by group, judged. ``strata`` tells whether groups were compared within strata only."""

    measure: Measure
    grouping: Grouping
    found: Disparity
    strata: bool
    unit: str

    @property
    def sentence(self) -> str:
        """Return the verdict in words."""
        return sentence(self.found, f"{self.measure.words} by {self.grouping.name}", self.unit)


def compare(
    groups: Grouping,
    measure: Measure,
    terms: Terms,
    *,
    strata: NDArray[np.integer] | None = None,
) -> Compared:
    """Judge one measure of one grouping; ``strata`` (a control feature) bounds it to rows that are alike in that."""
    counts = counted(groups, measure, strata)
    owners, alike = groups.owners, None
    if owners is not None and (owners >= 0).any():
        known = (groups.codes >= 0) & (measure.outcomes >= 0)
        worth = measure.values[measure.outcomes[known]]
        alike = inflation(groups.codes[known], owners[known], worth, len(groups.names))
    found = disparity(
        groups.names,
        counts,
        measure.values,
        rng=terms.rng,
        min_group=terms.min_group,
        family=terms.family,
        draws=terms.draws,
        inflation=alike,
    )
    return Compared(
        measure=measure, grouping=groups, found=found, strata=counts.ndim > 2, unit=measure.unit or terms.unit
    )


def plain(compared: Compared, points: Points) -> dict[str, Any]:
    """Return a comparison as plain JSON, with Fairlearn's values."""
    found = compared.found
    return {
        "metric": compared.measure.name,
        "words": compared.measure.words,
        "overall": number(points.overall),
        "ratio": found.ratio,
        "difference": found.difference,
        "ratio_all_groups": number(points.ratio),
        "difference_all_groups": number(points.difference),
        "groups": [
            {**asdict(each), "value": number(points.by_group.get(each.group, float("nan")))} for each in found.groups
        ],
        "p": found.p,
        "verdict": VERDICTS[found.outcome],
        "outcome": found.outcome,
        "sentence": compared.sentence,
        "needed": found.needed,
        "needed_group": found.needed_group,
        "growth": found.growth,
        "strata": compared.strata,
    }


def number(value: float) -> float | None:
    """Return a number, None where there is none."""
    return None if not np.isfinite(value) else float(value)


def short(name: str) -> str:
    """Return a group's name fit for a sentence.

    >>> short("81ce123cbb5bd8ce818f60fb3586bba5")
    '81ce123c…'
    """
    return " × ".join(part if len(part) <= 24 else f"{part[:8]}…" for part in name.split(" × "))


def sentence(found: Disparity, about: str, unit: str) -> str:
    """Return a verdict in words."""
    large = [group for group in found.groups if not group.too_small]
    if found.outcome == "shown":
        named = sorted((group.ratio, short(group.group)) for group in large if group.named and group.ratio is not None)
        who = "; ".join(f"{group} gets {ratio:.2f} × what everyone else gets" for ratio, group in named[:MOST_NAMED])
        more = f"; and {len(named) - MOST_NAMED} more groups" if len(named) > MOST_NAMED else ""
        return (
            f"Disparity shown in {about}: the lowest group has {found.ratio:.2f} of the highest (p = {found.p:.3f})"
            + (f"; {who}{more}." if who else ".")
        )
    if found.outcome == "not_shown":
        beyond = " A difference is there, but above the four-fifths line." if (found.p or 1.0) < 0.05 else ""
        return f"No disparity shown in {about}: the lowest group has {found.ratio:.2f} of the highest.{beyond}"
    few = "fewer than two groups are large enough to compare" if len(large) < 2 else ""
    if found.needed is None:
        return f"Inconclusive for {about}: {few or 'nothing to compare yet, no group has an outcome'}."
    return (
        f"Inconclusive for {about}: {few and few + '; '}about {found.needed:,} more {unit} needed in group "
        f"{short(found.needed_group or '')} to find a true ratio of {DETECT}, if all groups grow alike."
    )


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the verdict on several comparisons: shown if any is, not shown only if all are.

    >>> worst(["not_shown", "inconclusive"]), worst([])
    ('inconclusive', 'inconclusive')
    """
    return min(outcomes, key=WORST.index, default="inconclusive")
