"""How much traffic a gated rollout is expected to take, said before it begins."""

from collections.abc import Sequence
from math import ceil

from governance.experiments.sequential import FEWEST_HITS, Contrast, Stratum, contrast, half_width, tuning
from storage.records.rollouts import GATES, GatedPlan

LEAST = 200
"""Fewer decisions of the treated say too little of anything."""
LEAST_PEOPLE = 30
"""Fewer of them, too."""
SURE = 2.33
"""Standard errors that a harmless version may lie below the stable one by chance: 99 of 100 do not."""
WIDTH = 4.6
"""About how many standard errors the bound that lets go is wide where it is narrowest."""
STRICT = 50.0
"""How much rarer than a harmless version is taken back a harmful one may be let go: that has no second gate."""
_MOST = 10**10


def level(plan: GatedPlan) -> float:
    """Return the share of ``alpha`` that each gate may spend."""
    return plan.alpha / len(GATES)


def letting_go(plan: GatedPlan) -> float:
    """Return the chance with which a version that harms by the margin may ever be let go."""
    return level(plan) / STRICT


def margin(plan: GatedPlan, ahead: float) -> float:
    """Return the relative harm that must be excluded before a step to ``ahead`` per cent, so that the harm to everyone
    stays within the tolerance; 1 where even a version without any outcome would.

    >>> margin(GatedPlan(version=2), 50.0), margin(GatedPlan(version=2), 1.0)
    (0.1, 1.0)
    """
    return min(1.0, plan.tolerance * 100.0 / ahead)


def tuned(plan: GatedPlan, base_rate: float) -> float:
    """Return the parameter of the outcome's bound, from what is known before the first look: it is narrowest where the
    step before the last two is decided, which takes the least traffic in all."""
    ahead = plan.steps[max(0, len(plan.steps) - 3)]
    error = margin(plan, ahead) * base_rate / (WIDTH + SURE)
    return tuning(1.0 / (error * error), level(plan))


def _expected(percent: float, decisions: float, rate: float) -> Stratum:
    treated = decisions * percent / 100.0
    control = decisions - treated
    return Stratum(
        treated=round(treated),
        treated_hits=round(treated * rate),
        control=round(control),
        control_hits=round(control * rate),
    )


def _enough(found: Contrast | None, bound: Contrast | None, plan: GatedPlan, rho: float) -> bool:
    if found is None or bound is None or found.expected < FEWEST_HITS:
        return False
    if bound.margin >= 1.0:
        return True
    return bound.value - half_width(bound, level=letting_go(plan), tuned=rho) > SURE * bound.error


def announce(plan: GatedPlan, base_rate: float, *, spread: float = 1.0) -> tuple[int, ...]:
    """Return about how many decisions each step but the last takes, in both arms together, if the version is like the
    stable one: so many that 99 of 100 such versions are let through.

    >>> announce(GatedPlan(version=2, steps=(10.0, 100.0)), 0.05)[0] > 100_000
    True
    """
    rho = tuned(plan, base_rate)
    done: list[Stratum] = []
    announced: list[int] = []
    for here, ahead in zip(plan.steps, plan.steps[1:], strict=False):
        asked = margin(plan, ahead)

        def passes(decisions: float, asked: float = asked, here: float = here) -> bool:
            strata: Sequence[Stratum] = (*done, _expected(here, decisions, base_rate))
            return _enough(contrast(strata, spread=spread), contrast(strata, margin=asked, spread=spread), plan, rho)

        low, high = LEAST * 100.0 / here, LEAST * 100.0 / here
        while not passes(high) and high < _MOST:
            low, high = high, 2.0 * high
        for _ in range(20):
            middle = (low + high) / 2.0
            low, high = (low, middle) if passes(middle) else (middle, high)
        done.append(_expected(here, high, base_rate))
        announced.append(ceil(high))
    return tuple(announced)
