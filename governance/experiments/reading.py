"""Every experiment that chance has drawn, read out; real ones first."""

from collections.abc import Mapping, Sequence

from governance.experiments.arms import Experiment
from governance.experiments.readout import Readout
from governance.proportions import discoveries
from storage.arm_outcomes import EXPLORATION, LOG, ROLLOUT, ArmOutcomes

MIN_DAYS, MIN_HITS = 7, 150
"""Results are hidden before so many days and so many hits in each arm: an early look decides nothing, and tempts."""


def readouts(
    found: ArmOutcomes,
    *,
    shares: Mapping[str, Mapping[str, float]],
    references: Mapping[str, str],
    now: int,
    min_days: int = MIN_DAYS,
    min_hits: int = MIN_HITS,
) -> tuple[Readout, ...]:
    """Return every experiment with at least two arms, real ones first.

    Parameters
    ----------
    shares
        By test and arm the share of people that was set.
    references
        By test the arm that others are held against, where there is a choice.

    Which difference stands is told among all of them: at most 5 % of those that stand shall be wrong (Benjamini and
    Hochberg), by their first metric.
    """
    made = []
    for test, origin in sorted({(arm.test, arm.origin) for arm in found.arms}):
        arms = [arm for arm in found.arms if (arm.test, arm.origin) == (test, origin)]
        if len(arms) > 1:
            named = references.get(test) or _reference(test, [arm.arm for arm in arms])
            made.append(Experiment(test, origin, reference=named, arms=arms, found=found, shares=shares.get(test, {})))
    first = [(one, each) for one in made for each in one.compared if each.metric == "clicks"]
    standing = discoveries([each.lift.p for _, each in first])
    stands = {(id(one), each.arm) for (one, each), stood in zip(first, standing, strict=True) if stood}
    told = [one.told(stands=stands, now=now, min_days=min_days, min_hits=min_hits) for one in made]
    order = ("real", "imported", "simulated")
    return tuple(sorted(told, key=lambda one: (order.index(one.origin), one.key)))


def _reference(test: str, arms: Sequence[str]) -> str:
    """Return what the other arms are held against: what would be there without the arm."""
    kind = test.partition("/")[0]
    if kind == ROLLOUT:
        return sorted(arms, key=lambda arm: int(arm[1:]))[-2]
    named = {"holdout": "held_out", EXPLORATION: "explored", LOG: "random"}.get(kind, "")
    return named if named in arms else sorted(arms)[0]
