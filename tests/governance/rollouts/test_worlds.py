"""The benchmark's worlds at a twentieth of its size: the same code, the same looks."""

from dataclasses import replace

from benchmarks.rollouts import BASE, PLAN, World, runs
from governance.rollouts.announce import announce

RUNS = 50


def test_harmless_versions_are_let_through_in_the_announced_traffic() -> None:
    found = runs(RUNS, World(), seed=100)
    assert sum(run.state == "rolled_back" for run in found) <= 0.1 * RUNS  # 5 % and what chance adds to fifty runs
    announced = sum(announce(PLAN, BASE))
    assert announced <= 2_000_000
    assert sum(run.state == "done" and run.decisions <= announced for run in found) >= 0.9 * RUNS


def test_harmful_versions_are_taken_back_before_they_reach_many() -> None:
    found = runs(RUNS, World(effect=0.9), seed=200)
    assert sum(run.state == "rolled_back" for run in found) >= 0.95 * RUNS
    assert max(run.wide for run in found) <= 25.0


def test_broken_versions_are_taken_back_on_the_first_step() -> None:
    found = runs(10, World(failing=0.2), seed=300)
    assert {(run.state, run.gate, run.percent) for run in found} == {("rolled_back", "slo", 1.0)}


def test_better_versions_are_let_through_sooner() -> None:
    better = runs(10, World(effect=1.1), seed=400)
    assert {run.state for run in better} == {"done"}


def test_nobody_is_let_past_what_somebody_is_asked_for() -> None:
    found = runs(1, World(), seed=500, plan=replace(PLAN, last_step="ask"))
    assert all(run.percent <= 50.0 for run in found)
