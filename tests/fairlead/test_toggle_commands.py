"""The commands of toggles, cards, changes and emergencies against a control API on a real database."""

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
from storage.database import Database
from storage.keys import Keys, read_token
from storage.lake import Lake
from storage.records import clock
from tests.governance.conftest import preset
from tests.governance.served import serving

ACT = ("--yes", "--reason", "because the test says so", "--json")
Run = Callable[..., tuple[int, Any]]
CARD = {"intended_use": "Ranks what is in season at home.", "limits": "Knows nobody by their name.", "owner": "Kim"}


@pytest.fixture
def run(
    sqlite_database: Database, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs one command; gives its exit code, and what it printed, read as JSON where it is that."""
    keys = Keys.open(home)
    control = Control(sqlite_database, keys, environment="development", solo=True)
    control.bootstrap(home, preset())
    context = ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="development",
        solo=True,
        lake=Lake(home / "lake"),
    )
    with serving(create_app(context)) as url:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("FAIRLEAD_HOME", str(home))
        monkeypatch.setenv("FAIRLEAD_CONTROL_URL", url)
        monkeypatch.setenv("FAIRLEAD_TOKEN", read_token(home, "admin") or "")

        def command(*arguments: str) -> tuple[int, Any]:
            monkeypatch.setattr(sys, "argv", ["fairlead", *arguments])
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            out = capfd.readouterr().out
            return int(ended.value.code or 0), json.loads(out) if out.startswith(("{", "[")) else out

        yield command


def written(folder: Path, document: dict[str, Any]) -> str:
    path = folder / "document.json"
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


def toggle(folder: Path, **more: Any) -> str:
    rules = [{"key": "some", "value": True, "coverage": 0.1}]
    return written(folder, {"key": "new", "enabled": True, "rules": rules, **more})


def test_a_toggle_from_first_check_to_deletion(run: Run, tmp_path: Path) -> None:
    assert run("toggle", "validate", toggle(tmp_path, default="text"))[0] == 2
    assert run("toggle", "create", toggle(tmp_path), *ACT)[0] == 0
    assert "10 %" in run("toggle", "list")[1]
    tried = run("toggle", "try", "new", "--subject", "u-1", "--json")[1]
    assert tried["source"] in {"force", "default"}
    edited = run("toggle", "edit", "new", toggle(tmp_path, name="Shiny"), *ACT)[1]
    assert edited["after"]["version"] == 2
    assert run("toggle", "rollback", "new", *ACT)[1]["after"]["name"] == ""
    assert run("toggle", "delete", "new", *ACT)[0] == 5
    assert run("toggle", "disable", "new", *ACT)[1]["level"] == "safe"
    assert run("toggle", "delete", "new", *ACT)[0] == 0
    assert run("toggle", "show", "new")[0] == 3


def test_a_card_is_written_and_read(run: Run, tmp_path: Path) -> None:
    draft = run("policy", "draft", "home", written(tmp_path, {"surface": "home"}), *ACT)[1]
    version = str(draft["after"]["version"])
    refused = run("policy", "activate", "home", version, "--percent", "1", *ACT)
    assert refused[0] == 2
    assert run("policy", "card", "home", version, "--write", written(tmp_path, CARD), *ACT)[0] == 0
    assert run("policy", "card", "home", version, "--write", written(tmp_path, CARD), *ACT)[0] == 0
    assert "Ranks what is in season at home." in run("policy", "card", "home", version)[1]
    assert run("policy", "activate", "home", version, "--percent", "1", *ACT)[0] == 0


def test_a_change_is_proposed_compared_and_scheduled(run: Run, tmp_path: Path) -> None:
    payload = written(tmp_path, {"version": 2, "percent": 50})
    change = run("change", "propose", "policy.rollout", "home", payload, *ACT)[1]["change_id"]
    assert [one["path"] for one in run("change", "diff", change, "--json")[1]["policy"]] == ["exploration.epsilon"]
    run("change", "submit", change, *ACT)
    run("change", "approve", change, *ACT)
    at = clock.iso(clock.now() + clock.HOUR)
    assert run("change", "schedule", change, "--at", at, *ACT)[1]["state"] == "scheduled"
    assert run("change", "apply", change, *ACT)[0] == 5
    assert run("change", "withdraw", change, *ACT)[1]["state"] == "rejected"


def test_an_emergency_is_declared_and_looked_at(run: Run) -> None:
    declared = run("emergency", "declare", *ACT)[1]
    assert run("emergency", "declare", *ACT)[0] == 5
    assert run("emergency", "list", "--json")[1]["waiting_for_review"] == [declared["emergency_id"]]
    assert run("emergency", "review", declared["emergency_id"], *ACT)[1]["reviewed_by"] == declared["principal"]
