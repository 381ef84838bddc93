"""The health of the sample: whether both sides have the people that they should, each on one side only."""

from math import log

from governance.experiments.occurrences import strength
from governance.experiments.srm import ALARM, imbalance
from governance.rollouts.announce import LEAST_PEOPLE
from governance.rollouts.parts import share
from storage.records.findings import Verdict
from storage.records.rollouts import Evidence, Figure, GateFinding

CROSSED = 0.01
"""The share of people that may see both versions within a step."""


def sample(counted: Evidence) -> GateFinding:
    """Tell whether both sides have the people that they should, each on one side only; it holds, and never harms."""
    here = counted.steps[-1]
    found = sum(imbalance(step.people, (step.share, 1.0 - step.share)) for step in counted.steps if step.share < 1.0)
    needed = log(1.0 / ALARM)
    people = sum(here.people)
    crossed = share(here.crossed, people)
    figures = (
        Figure(
            name="sample ratio",
            treated=share(here.people[0], people),
            limit=here.share,
            strength=strength(found),
            needed=strength(needed),
        ),
        Figure(name="crossed", treated=crossed, limit=CROSSED),
    )
    uneven, mixed = found >= needed, (crossed or 0.0) > CROSSED
    verdict: Verdict = "warn" if uneven or mixed else "pass" if people >= LEAST_PEOPLE else "unknown"
    sentence = (
        "People are not on both sides as the split says: nothing that is compared can be believed."
        if uneven
        else f"{crossed:.1%} of people saw both versions on this step."
        if mixed
        else f"{people:,} people on this step, split as planned."
        if people >= LEAST_PEOPLE
        else f"Only {people:,} people were counted on this step."
    )
    return GateFinding(gate="sample", verdict=verdict, sentence=sentence, figures=figures)
