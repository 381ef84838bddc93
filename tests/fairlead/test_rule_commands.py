"""The commands of rules against a control API on a real database."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage import findings, ledger
from storage.database import Database
from storage.records.findings import Audit
from tests.fairlead.conftest import Run

ACT = ("--yes", "--reason", "because the test says so", "--json")


@pytest.fixture
def run(fairlead: Run, served: str) -> Run:
    return partial(fairlead, "rule")


def written(folder: Path, **more: Any) -> str:
    rule = {"key": "lift", "action": "boost", "factor": 2.0, "when": {"age": {"$gt": 3}}, **more}
    path = folder / "rule.json"
    path.write_text(json.dumps(rule), "utf-8")
    return str(path)


def test_a_rule_from_first_check_to_deletion(run: Run, tmp_path: Path, sqlite_database: Database) -> None:
    code, out, _ = run("check", written(tmp_path, factor=-1))
    assert code == 2 and "above zero" in out
    assert "may be written" in run("check", written(tmp_path))[2]
    assert run("create", written(tmp_path), *ACT)[1]["after"]["version"] == 1
    assert [view["rule"]["key"] for view in run("list", "--json")[1]] == ["lift"]
    assert run("edit", "lift", written(tmp_path, factor=3.0), *ACT)[1]["after"]["factor"] == 3.0
    assert run("rollback", "lift", *ACT)[1]["after"]["factor"] == 2.0
    assert run("delete", "lift", *ACT)[0] == 5
    for verb in ("disable", "enable", "disable"):
        assert run(verb, "lift", *ACT)[0] == 0
    assert run("show", "lift", "--json")[1]["rule"]["enabled"] is False
    assert run("delete", "lift", *ACT)[0] == 0 and run("show", "lift")[0] == 3
    with sqlite_database.read() as read:
        assert len(ledger.entries(read, object_key="lift", result="applied")) == 7


def test_the_commands_of_rules_give_the_key_again_by_themselves(run: Run, tmp_path: Path) -> None:
    broad = written(tmp_path, when={})
    assert run("create", broad, *ACT)[1]["level"] == "D2"
    assert run("edit", "lift", written(tmp_path, when={}, factor=3.0), *ACT)[1]["level"] == "D2"
    assert run("disable", "lift", *ACT)[0] == run("enable", "lift", *ACT)[0] == 0
    assert run("create", broad, "--confirm", "lif", *ACT)[0] == 2


def test_what_rules_did_is_told_with_intervals_or_said_to_be_unknown(run: Run, sqlite_database: Database) -> None:
    assert "not judged yet" in run("performance")[2] and run("conflicts", "--json")[1] == []
    arm = {
        "arm": "applied", "decisions": 5, "impressions": 50, "rate": 0.1, "low": 0.04, "high": 0.21,
        "conversion_rate": None, "conversion_low": 0.0, "conversion_high": 1.0, "versus": None,
    }  # fmt: skip
    effect = {"rule": "lift", "arms": [arm], "reference": "not applied", "simulated": False}
    advice = {"rule": "lift", "kind": "untested", "verdict": "unknown", "sentence": "Nobody knows what it does."}
    with sqlite_database.write() as write:
        findings.save(
            write,
            Audit(
                audit_id="rules-1",
                kind="rules",
                job_id="1",
                at=1_700_000_000_000_000,
                verdict="unknown",
                sentence="",
                population={"start": 0, "end": 1},
                result={"effects": [effect], "advice": [advice]},
            ),
        )
    _, out, err = run("performance")
    assert "10.00 (4.00 to 21.00)" in out and "unknown" in out and "judged at 2023" in err
    assert "Nobody knows" in run("advice")[1]
