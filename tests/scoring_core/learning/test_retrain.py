"""Retraining: each step by itself, skipped with a reason, promoted only when not worse; confidence fitted anew."""

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring_core.learning import retrain as module
from scoring_core.learning.promote import judge, promote
from scoring_core.learning.recalibrate import recalibrate
from scoring_core.learning.retrain import STEPS, Amount, Retraining, Step, retrain
from scoring_core.learning.train import train
from storage import registry
from storage.errors import Invalid
from storage.records.clock import DAY, SECOND
from tests.worlds import START, fill, lake_at, moments, taste

NOW = START + 30 * DAY


@pytest.fixture
def lake(home: Path):
    return lake_at(home)


@pytest.fixture
def run(sqlite_database, lake, home):
    """A run at a moment; what it adopts goes straight into the registry."""

    def at(now: int = NOW) -> Retraining:
        def adopt(model, verdict):
            with sqlite_database.write() as write:
                registry.promote(write, model.name, model.version, at=now)

        return Retraining(
            database=sqlite_database, lake=lake, home=home, now=now, seed=1, origins=("imported",), adopt=adopt
        )

    return at


def steps(*names: str, **changed: str) -> tuple[Step, ...]:
    found = tuple(step for step in STEPS if step.name in names)
    return tuple(replace(step, cadence="major", train=changed.get(step.name, step.train)) for step in found)


def states(result) -> dict[str, tuple[str, str]]:
    return {step["step"]: (step["state"], step["reason"]) for step in result["steps"]}


def broken(*_arguments, **_named):
    """A training that fails."""
    raise ZeroDivisionError("no people")


module.broken = broken  # type: ignore[attr-defined]  # where the table of steps finds it by name


def test_one_failing_step_stops_no_other(run, sqlite_database, lake):
    fill(sqlite_database, lake, taste(3_000, 3))
    table = steps("calibration", "ranker", "content", content="scoring_core.learning.retrain:broken")
    found = states(retrain(run(), cadence="major", steps=(table[2], table[1], table[0])))
    assert found["content"] == ("failed", "ZeroDivisionError: no people")
    assert found["ranker"] == ("trained", "the first model of its name")
    assert found["calibration"][0] == "skipped"
    with sqlite_database.read() as read:
        (standing,) = registry.standings(read)
    assert standing.in_service
    assert standing.verdict is not None and standing.verdict["promoted"]


def test_too_little_data_is_skipped_with_what_is_missing(run, sqlite_database, lake):
    assert states(retrain(run(), cadence="major", steps=steps("ranker", "hybrid"))) == {
        "ranker": ("skipped", "0 of the 1,000 impressions that it takes"),
        "hybrid": ("skipped", "0 of the 50 people that it takes"),
    }
    assert Amount(clicks=30).short_of(Amount(clicks=20)) == ""


def test_nothing_new_trains_nothing_and_an_hour_later_neither(run, sqlite_database, lake):
    fill(sqlite_database, lake, taste(3_000, 3))
    only = steps("ranker")
    assert states(retrain(run(), cadence="major", steps=only))["ranker"][0] == "trained"
    again = states(retrain(run(NOW + DAY), cadence="major", steps=only))
    assert again["ranker"] == ("skipped", "nothing came in since the latest version was made")


def test_libraries_that_are_not_installed_are_named(run, sqlite_database, lake):
    fill(sqlite_database, lake, taste(1_100, 3))
    found = states(retrain(run(), cadence="major", steps=steps("ranker", ranker="no_such_library:train")))
    assert found["ranker"] == ("skipped", "no_such_library is not installed; install fairlead[learning]")


def test_only_the_asked_cadence_runs_and_every_name_is_its_own(run):
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    for cadence in ("minor", "major"):
        found = retrain(run(), cadence=cadence)
        assert [step["step"] for step in found["steps"]] == [step.name for step in STEPS if step.cadence == cadence]
        assert all(step["state"] == "skipped" for step in found["steps"] if step["step"] != "content")
        told = found["feedback"]
        assert (told["people"], told["weighted_down"]) == (0, 0)
        assert told["signals"].keys() == told["reasons"].keys()


def test_after_a_rollback_a_retrained_version_waits_for_a_person(run, sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(3_000, 3))
    for late in range(2):
        model = train(sqlite_database, lake, home, now=NOW + late, seed=1, members=2, trees=4)
        assert promote(sqlite_database, lake, home, model=model, now=NOW + late).promoted
    with sqlite_database.write() as write:
        registry.roll_back(write, "ranker", at=NOW + SECOND)
    model = train(sqlite_database, lake, home, now=NOW + 2 * SECOND, seed=1, members=2, trees=4)
    verdict = judge(sqlite_database, lake, home, model=model, now=NOW + 2 * SECOND)
    assert not verdict.promoted
    assert "rollback" in verdict.reason


def test_a_first_model_that_is_worse_than_the_rule_stays_out(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(3_000, 3))
    model = train(sqlite_database, lake, home, now=NOW, seed=1, members=1, trees=2)
    bad = replace(model, evaluation={"verdict": "worse", "sentence": "Worse than popularity."})
    verdict = judge(sqlite_database, lake, home, model=bad, now=NOW)
    assert not verdict.promoted
    assert verdict.reason == "kept out: Worse than popularity."


def test_noise_alone_is_not_shown_to_be_no_worse(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(1_500, 5))
    first = train(sqlite_database, lake, home, now=NOW, seed=1, members=3, trees=10)
    assert promote(sqlite_database, lake, home, model=first).promoted
    other = train(sqlite_database, lake, home, now=NOW + 1, seed=99, members=1, trees=3)
    verdict = judge(sqlite_database, lake, home, model=other, now=NOW + 1)
    assert verdict.metric == "concordance"
    assert verdict.margin == 0.01
    assert not verdict.promoted
    assert verdict.difference_low <= -verdict.margin


def test_a_calibration_is_fitted_anew_on_what_came_since(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(2_000, 3))
    model = train(sqlite_database, lake, home, now=NOW, seed=1, members=6, trees=5)
    promote(sqlite_database, lake, home, model=model)
    with pytest.raises(Invalid, match="of the 1,000 clicked impressions"):
        recalibrate(sqlite_database, lake, home, now=NOW + 1, seed=1, origins=("imported",))
    late = taste(6_000, 8)
    fill(sqlite_database, lake, replace(late, at=moments(6_000) + 8 * DAY), log="late")
    fresh = recalibrate(sqlite_database, lake, home, now=NOW + 2, seed=1, origins=("imported",))
    assert fresh.digest == model.digest
    assert fresh.lineage["recalibrated"]["from"] == model.version
    assert model.calibration.status == "uncalibrated" != fresh.calibration.status
    assert np.all(np.diff(fresh.calibration.y) >= 0)
    verdict = promote(sqlite_database, lake, home, model=fresh, now=NOW + 2)
    assert verdict.promoted
    assert verdict.metric == "Brier loss"
    with pytest.raises(Invalid, match="new calibration"):
        recalibrate(sqlite_database, lake, home, now=NOW + 3, seed=1, origins=("imported",))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_step_names_a_training_that_can_be_called_as_the_clock_does(step):
    asked = inspect.signature(step.learner()).parameters
    assert {"now", "seed", "origins"} <= asked.keys()
    free = [name for name, one in asked.items() if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    assert free[3:] == [name for name in free[3:] if name in {"now", "seed", "origins"}]
