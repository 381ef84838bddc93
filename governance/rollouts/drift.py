"""The gate of drift: whether both sides of the split see the same traffic, and answer it alike."""

from collections.abc import Mapping
from math import log

from governance.experiments.occurrences import CHANGES, Split, evidence, strength
from governance.rollouts.announce import LEAST_PEOPLE, level
from storage.records.findings import Verdict
from storage.records.rollouts import Arms, Evidence, Figure, GatedPlan, GateFinding

MOST = 20
"""Features that are looked at; the level is shared by so many, so that which there are needs no guess."""
SEVERE = 0.25
"""The population stability index from which on a mix counts as another one."""


def drift(plan: GatedPlan, counted: Evidence) -> GateFinding:
    """Harm: a mix that should be the stable version's is another one, beyond chance and materially."""
    names = sorted({name for step in counted.steps for name in step.features})[:MOST]
    needed = log(MOST / level(plan))
    figures: list[Figure] = []
    shown: list[str] = []
    moved: list[str] = []
    people = 0
    for name in names:
        bins = _bins(counted, name)
        people = max(people, sum(joined for joined, _ in bins.values()))
        found = sum(
            evidence(
                [
                    Split(treated=arms[0], control=arms[1], share=step.share)
                    for step in counted.steps
                    if (arms := step.features.get(name, {}).get(each)) is not None
                ],
                alternatives=CHANGES,
            )
            for each in bins
        )
        apart = stability(bins)
        figures.append(
            Figure(name=name, treated=apart, limit=SEVERE, strength=strength(found), needed=strength(needed))
        )
        if found >= needed:
            (shown if apart is not None and apart >= SEVERE else moved).append(name)
    if not names:
        return GateFinding(gate="drift", verdict="unknown", sentence="No feature is there to compare.")
    verdict: Verdict = "fail" if shown else "warn" if moved else "pass" if people >= LEAST_PEOPLE else "unknown"
    sentence = {
        "fail": f"Its traffic is not the stable version's: {', '.join(shown)}.",
        "warn": f"A small difference of {', '.join(moved)}, below what matters.",
        "pass": f"{', '.join(names)}: as with the stable version.",
        "unknown": f"Only {people:,} people can be compared.",
    }[verdict]
    return GateFinding(gate="drift", verdict=verdict, sentence=sentence, figures=tuple(figures))


def _bins(counted: Evidence, name: str) -> dict[str, Arms]:
    bins: dict[str, Arms] = {}
    for step in counted.steps:
        for each, (joined, stayed) in step.features.get(name, {}).items():
            before = bins.get(each, (0, 0))
            bins[each] = (before[0] + joined, before[1] + stayed)
    return dict(sorted(bins.items()))


def stability(bins: Mapping[str, Arms]) -> float | None:
    """Return how far apart the mixes of both sides are, as the drift audit measures it."""
    import numpy as np

    from governance.checks.shift import psi

    stayed = np.array([each[1] for each in bins.values()], dtype=np.int64)
    joined = np.array([each[0] for each in bins.values()], dtype=np.int64)
    return psi(stayed, joined) if stayed.sum() and joined.sum() else None
