"""The commands of gated rollouts against a control API on a real database."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from governance.rollouts.ramp import look
from storage import ledger, rollouts
from storage.database import Database
from storage.keys import Keys, read_token
from storage.lake import Lake
from storage.records.rollouts import Evidence, StepCounts
from tests.governance.conftest import preset, warrant
from tests.governance.served import serving

WHY = ("--yes", "--reason", "because the test says so")
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(
    sqlite_database: Database, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs one command; gives its exit code, what it printed, and its talk."""
    keys = Keys.open(home)
    control = Control(sqlite_database, keys, environment="test", solo=True)
    control.bootstrap(home, preset())
    with sqlite_database.read() as read:
        from storage import policies

        under_way = policies.head(read, "home")
    if under_way is not None and under_way.rollout is not None:
        control.do("policy.rollback", "home", {}, warrant("alice"))
    context = ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=True,
        lake=Lake(home / "lake"),
    )
    with serving(create_app(context)) as url:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("FAIRLEAD_HOME", str(home))
        monkeypatch.setenv("FAIRLEAD_CONTROL_URL", url)
        monkeypatch.setenv("FAIRLEAD_TOKEN", read_token(home, "admin") or "")

        def command(*arguments: str) -> tuple[int, Any, str]:
            monkeypatch.setattr(sys, "argv", ["fairlead", "rollout", *arguments])
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            out, err = capfd.readouterr()
            return int(ended.value.code or 0), json.loads(out) if out.startswith(("{", "[")) else out, err

        yield command


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
