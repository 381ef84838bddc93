"""The commands of gated rollouts against a control API on a real database."""

from functools import partial

import pytest

from governance.control import Control
from governance.rollouts.ramp import look
from storage import ledger, policies, rollouts
from storage.database import Database
from storage.records.rollouts import Evidence, StepCounts
from tests.fairlead.conftest import Run
from tests.governance.conftest import warrant

WHY = ("--yes", "--reason", "because the test says so")


@pytest.fixture
def run(fairlead: Run, served: str, control: Control, sqlite_database: Database) -> Run:
    with sqlite_database.read() as read:
        under_way = policies.head(read, "home")
    if under_way is not None and under_way.rollout is not None:
        control.do("policy.rollback", "home", {}, warrant("alice"))
    return partial(fairlead, "rollout")


def test_a_rollout_from_preview_to_the_way_back(run: Run, sqlite_database: Database) -> None:
    code, told, _ = run("preview", "home", "2", "--steps", "10,100", "--waive", "fairness", "--json")
    assert (code, len(told["announced"])) == (0, 1)
    code, _, talk = run("preview", "home", "2", "--steps", "10,100", "--json")
    assert code == 2 and "fairness" in talk
    assert run("list", "--json")[1] == []
    started = ("start", "home", "2", "--steps", "10,100", "--dwell", "60", "--ask-last", "--waive", "fairness")
    code, outcome, talk = run(*started, *WHY, "--json")
    assert code == 0, talk
    key = outcome["after"]["rollout_id"]
    assert run(*started, *WHY, "--json")[0] == 5

    code, view, _ = run("show", "home", "--json")
    assert (view["state"], view["percent"], view["plan"]["last_step"]) == ("running", 10.0, "ask")
    with sqlite_database.write() as write:
        known = rollouts.find(write, key)
        assert known is not None
        counted = Evidence(steps=(StepCounts(percent=10.0, share=0.1, decisions=(3, 27)),))
        rollouts.keep(write, look(known, counted, seq=1, at=known.created_at + 5_000_000))
    assert "slo" in run("show", key)[1]
    assert [one["seq"] for one in run("looks", "home", "--json")[1]] == [1]
    assert run("replay", "home", "1", "--json")[1]["verdict"] == "exact"
    assert run("replay", "home", "7")[0] == 3
    assert run("pause", "home", *WHY, "--json")[1]["state"] == "paused"
    assert run("resume", "home", *WHY, "--json")[1]["state"] == "running"
    assert run("let-go", "home", *WHY)[0] == 5
    assert run("rollback", "home", *WHY, "--json")[1]["state"] == "rolled_back"
    with sqlite_database.read() as read:
        acts = [entry.action for entry in ledger.entries(read, object_kind="rollout", limit=9)]
    assert [act for act in acts if act != "rollout.let_go"] == ["rollout.roll_back", "rollout.resume", "rollout.pause"]


def test_a_submitted_plan_waits_for_review(run: Run) -> None:
    code, change, talk = run("submit", "home", "3", "--tolerance", "0.1", "--waive", "fairness", *WHY, "--json")
    assert code == 0, talk
    assert (change["kind"], change["state"]) == ("rollout.start", "in_review")
    assert change["payload"]["tolerance"] == 0.1 and change["payload"]["waived"] == ["fairness"]
