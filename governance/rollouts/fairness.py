"""The gate of fairness: whether some group is harmed by a version."""

from governance.experiments.sequential import FEWEST_HITS, contrast, half_width, harm_width
from governance.rollouts.announce import level, tuned
from governance.rollouts.parts import strata
from storage.records.findings import Verdict
from storage.records.rollouts import Evidence, Figure, GatedPlan, GateFinding

MOST = 20
"""Groups that are looked at; the level is shared by so many, so that which there are needs no guess."""
GROUP_HARM = 0.2
"""The relative harm to a group that must be excluded before everyone gets a version: the four-fifths line."""


def fairness(plan: GatedPlan, counted: Evidence, *, base_rate: float, ahead: float) -> GateFinding:
    """Harm: a group's rate falls below the stable version's, and below four fifths of everyone else's."""
    names = sorted({name for step in counted.steps for name in step.groups})[:MOST]
    if not names:
        return GateFinding(
            gate="fairness",
            verdict="unknown",
            sentence="No group is known: fairness cannot be assessed.",
        )
    spent, rho = level(plan) / MOST, tuned(plan, base_rate)
    asked = min(1.0, GROUP_HARM * 100.0 / ahead)
    figures: list[Figure] = []
    fallen: list[str] = []
    waiting: list[str] = []
    small: list[str] = []
    for name in names:
        cells = strata([step.groups[name] for step in counted.steps if name in step.groups])
        found = contrast(cells, spread=counted.spread)
        bound = contrast(cells, margin=asked, spread=counted.spread)
        if found is None or bound is None or found.expected < FEWEST_HITS:
            small.append(name)
            continue
        half = harm_width(found, level=spent, tuned=rho)
        figures.append(
            Figure(
                name=name,
                treated=found.treated,
                control=found.control,
                low=found.value - half,
                high=found.value + half,
                limit=-asked * found.control,
            )
        )
        if found.value + half < 0.0:
            fallen.append(name)
        if asked < 1.0 and bound.value - half_width(bound, level=spent, tuned=rho) <= 0.0:
            waiting.append(name)
    unfair = [name for name, ratio in _ratios(counted, names).items() if ratio < 0.8] if fallen else []
    harmed = [name for name in fallen if name in unfair]
    verdict: Verdict = (
        "fail" if harmed else "unknown" if waiting or not figures else "warn" if small or fallen else "pass"
    )
    sentence = {
        "fail": f"Harmed: {', '.join(harmed)}; below four fifths of everyone else, and worse than before.",
        "unknown": f"A harm of {asked:.0%} is not excluded for {', '.join(waiting or small)}.",
        "warn": f"Too small to judge, or worse but above four fifths: {', '.join(small + fallen)}.",
        "pass": "No group is shown to be harmed; so small a step could harm few."
        if asked >= 1.0
        else f"A harm of {asked:.0%} is excluded for every group.",
    }[verdict]
    return GateFinding(gate="fairness", verdict=verdict, sentence=sentence, figures=tuple(figures))


def _ratios(counted: Evidence, names: list[str]) -> dict[str, float]:
    """Return each group's rate among the treated over everyone else's, as the fairness audit has it."""
    import numpy as np

    from governance.checks.disparity import disparity

    totals = {
        name: [sum(step.groups[name][place] for step in counted.steps if name in step.groups) for place in (0, 1)]
        for name in names
    }
    ratios: dict[str, float] = {}
    for attribute in sorted({name.partition("=")[0] for name in names}):
        own = [name for name in names if name.partition("=")[0] == attribute]
        table = np.array([[totals[name][0] - totals[name][1], totals[name][1]] for name in own], dtype=np.int64)
        rng = np.random.Generator(np.random.PCG64(0))
        found = disparity(own, table, np.array([0.0, 1.0]), rng=rng, min_group=1, draws=200)
        ratios |= {group.group: group.ratio for group in found.groups if group.ratio is not None}
    return ratios
