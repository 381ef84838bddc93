"""Gated rollouts of worlds whose truth is known, on a simulated clock: how often a harmless version is taken back, how
often it reaches everyone in the announced traffic, and how soon a harmful one is taken back.

Every look counts ``EVERY`` more decisions, drawn as counts, and calls the very function that looks at live rollouts.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from governance.rollouts.announce import announce
from governance.rollouts.ramp import look
from storage.records.clock import SECOND
from storage.records.rollouts import Arms, Cells, Evidence, GatedPlan, GatedRollout, StepCounts, StepMark

RUNS = 1_000
DECISIONS = 2_000_000
EVERY = 4_000
LOOK_US = 10 * SECOND
BASE = 0.05
HARM = 0.1
FAILING, SLOW = 0.001, 0.01
MIXES = {"country": (0.5, 0.3, 0.15, 0.05), "device": (0.6, 0.3, 0.1)}
GROUPS = (0.5, 0.3, 0.2)
PLAN = GatedPlan(version=2, dwell_s=60)


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true: the treated's outcome rate relative to the others', and their chance of a failure."""

    effect: float = 1.0
    failing: float = FAILING


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one rollout ended: after how many decisions, at which share; ``wide`` is the greatest share in force after
    400,000 decisions."""

    state: str
    decisions: int
    percent: float
    gate: str
    wide: float


def _fresh(percent: float, before: float) -> StepCounts:
    return StepCounts(percent=percent, share=(percent - before) / (100.0 - before))


def _plus(one: Sequence[int], other: Sequence[int]) -> Any:
    return tuple(int(a) + int(b) for a, b in zip(one, other, strict=True))


def _more(rng: np.random.Generator, step: StepCounts, world: World) -> StepCounts:
    """Count ``EVERY`` more decisions, each of another person."""
    part = step.percent / 100.0
    before = (part - step.share) / (1.0 - step.share)
    treated = int(rng.binomial(EVERY, part))
    arms = (treated, EVERY - treated)
    joined = int(rng.binomial(treated, (part - before) / part))
    people = (joined, EVERY - treated)
    fresh: Arms = (int(rng.binomial(joined, world.failing)), int(rng.binomial(people[1], FAILING)))
    old = int(rng.binomial(treated - joined, world.failing))
    late = [int(rng.binomial(size, SLOW)) for size in people]
    groups: dict[str, Cells] = {}
    sizes = [rng.multinomial(size, GROUPS) for size in arms]
    for place in range(len(GROUPS)):
        counts = [int(size[place]) for size in sizes]
        hits = [int(rng.binomial(counts[0], BASE * world.effect)), int(rng.binomial(counts[1], BASE))]
        groups[f"country={place}"] = (counts[0], hits[0], counts[1], hits[1])
    outcomes = tuple(sum(cells[place] for cells in groups.values()) for place in range(4))
    features = {
        name: {
            f"{place}": _plus(step.features.get(name, {}).get(f"{place}", (0, 0)), pair)
            for place, pair in enumerate(zip(*(rng.multinomial(size, mix) for size in people), strict=True))
        }
        for name, mix in MIXES.items()
    }
    return replace(
        step,
        decisions=_plus(step.decisions, arms),
        failed=_plus(step.failed, (fresh[0] + old, fresh[1])),
        late=_plus(step.late, late),
        outcomes=_plus(step.outcomes, outcomes),
        people=_plus(step.people, people),
        failing=_plus(step.failing, fresh),
        waiting=_plus(step.waiting, late),
        features=features,
        groups={name: _plus(step.groups.get(name, (0, 0, 0, 0)), cells) for name, cells in groups.items()},
    )


def simulate(seed: int, world: World, *, plan: GatedPlan = PLAN, decisions: int = DECISIONS) -> Run:
    """Let one rollout run until it ends, or until so many decisions were made."""
    rng = np.random.Generator(np.random.PCG64(seed))
    announced = announce(plan, BASE)
    rollout = GatedRollout(
        rollout_id=str(seed),
        policy="home",
        plan=plan,
        state="running",
        author="benchmark",
        reason="",
        marks=(StepMark(percent=plan.steps[0], revision=1, at=0),),
        announced=announced,
        base_rate=BASE,
        rate_from="plan",
    )
    steps = (_fresh(plan.steps[0], 0.0),)
    at, seen, wide = 0, 0, 0.0
    while seen < decisions:
        steps = (*steps[:-1], _more(rng, steps[-1], world))
        at, seen = at + LOOK_US, seen + EVERY
        if seen >= 400_000:
            wide = max(wide, rollout.percent)
        found = look(rollout, Evidence(steps=steps), seq=1, at=at)
        rollout = replace(rollout, green_at=found.green_at)
        if found.step == "roll_back":
            gate = found.reason.partition(":")[0]
            return Run(state="rolled_back", decisions=seen, percent=rollout.percent, gate=gate, wide=wide)
        if found.step == "advance" and found.ahead is not None:
            if found.ahead == 100.0:
                return Run(state="done", decisions=seen, percent=100.0, gate="", wide=max(wide, 100.0))
            mark = StepMark(percent=found.ahead, revision=len(steps) + 1, at=at)
            steps = (*steps, _fresh(found.ahead, rollout.percent))
            rollout = replace(rollout, marks=(*rollout.marks, mark), green_at=None)
    return Run(state="running", decisions=seen, percent=rollout.percent, gate="", wide=wide)


def runs(count: int, world: World, *, seed: int = 0, plan: GatedPlan = PLAN) -> list[Run]:
    """Let so many rollouts run."""
    return [simulate(seed + number, world, plan=plan) for number in range(count)]


def _figure(name: str, value: float, target: str, raw: dict[str, Any], *, ok: bool) -> Figure:
    return Figure(bench=name, value=value, unit="of rollouts", floor=None, ratio=None, target=target, ok=ok, raw=raw)


def _back(found: Sequence[Run]) -> float:
    return sum(run.state == "rolled_back" for run in found) / len(found)


def _gates(found: Sequence[Run]) -> dict[str, int]:
    return dict(Counter(run.gate for run in found if run.gate))


def alike(count: int) -> None:
    """Versions that are like the stable one, as a plan lets them go."""
    announced = sum(announce(PLAN, BASE))
    found = runs(count, World())
    whole = sum(run.state == "done" and run.decisions <= announced for run in found) / count
    taken = [run.decisions for run in found if run.state == "done"]
    raw = {
        "runs": count,
        "decisions_at_most": DECISIONS,
        "look_every": EVERY,
        "announced": announced,
        "median_decisions": float(np.median(taken)) if taken else None,
        "gates": _gates(found),
    }
    back = _back(found)
    _figure("rollout_false_rollback", back, "≤ 5 % (design 4 %)", raw, ok=back <= 0.05).print()
    _figure("rollout_reaches_all", whole, "≥ 90 % in the announced traffic", raw, ok=whole >= 0.9).print()


def waiting(count: int) -> None:
    """The same, looked at through all two million decisions, because nobody lets them past the half."""
    found = runs(count, World(), seed=5_000, plan=replace(PLAN, last_step="ask"))
    back = _back(found)
    raw = {"runs": count, "decisions_each": DECISIONS, "looks_each": DECISIONS // EVERY, "gates": _gates(found)}
    _figure("rollout_false_rollback_waiting", back, "≤ 5 % (design 4 %)", raw, ok=back <= 0.05).print()


def harmed(count: int) -> None:
    """Versions with a tenth fewer outcomes."""
    found = runs(count, World(effect=1.0 - HARM), seed=10_000)
    taken = [run.decisions for run in found]
    raw = {
        "runs": count,
        "harm": HARM,
        "base_rate": BASE,
        "median_decisions": float(np.median(taken)),
        "p95_decisions": float(np.percentile(taken, 95)),
        "at": {f"{share:g}": sum(run.percent == share for run in found) for share in PLAN.steps},
    }
    caught, wide = _back(found), sum(run.wide > 25.0 for run in found) / count
    _figure("rollout_harm_caught", caught, "≥ 95 %", raw, ok=caught >= 0.95).print()
    _figure("rollout_harm_exposure", wide, "0 above 25 % after 400,000 decisions", raw, ok=wide == 0.0).print()


def broken(count: int) -> None:
    """Versions a fifth of whose decisions fail."""
    found = runs(count, World(failing=0.2), seed=20_000)
    caught = sum(run.state == "rolled_back" and run.gate == "slo" for run in found) / count
    raw = {"runs": count, "p95_decisions": float(np.percentile([run.decisions for run in found], 95))}
    _figure("rollout_failures_caught", caught, "≥ 95 %", raw, ok=caught >= 0.95).print()


PARTS: Mapping[str, tuple[Callable[[int], None], int]] = {
    "alike": (alike, 1),
    "harmed": (harmed, 1),
    "waiting": (waiting, 4),
    "broken": (broken, 10),
}
"""Each part, and by how much it is made of fewer runs than the first."""


def main(count: int = RUNS, chosen: Sequence[str] = ()) -> None:
    for name, (part, fewer) in PARTS.items():
        if not chosen or name in chosen:
            part(max(1, count // fewer))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS, sys.argv[2:])
