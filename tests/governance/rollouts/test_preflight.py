"""What logged decisions say before anybody is shown a version."""

from typing import Any

import pytest

from governance.control import Control
from governance.rollouts.preflight import preflight
from storage import findings
from storage.database import Database
from storage.errors import Conflict
from storage.records.findings import Audit, Verdict
from tests.governance.conftest import NOW, warrant

from .begun import PLAN, approved, begin

FALLS = {"ips": {"value": -0.02, "low": -0.03, "high": -0.01}, "snips": {"value": -0.02, "low": -0.03, "high": -0.005}}
UNSURE = {"ips": {"value": -0.02, "low": -0.03, "high": 0.01}, "snips": {"value": -0.02, "low": -0.03, "high": -0.005}}


def estimated(database: Database, lift: dict[str, Any], *, verdict: Verdict = "pass", **scenario: Any) -> None:
    about = {"policy": "home", "version": 2, **scenario}
    audit = Audit(
        audit_id=f"offpolicy-{len(str(scenario))}",
        kind="offpolicy",
        job_id="j",
        at=NOW,
        verdict=verdict,
        sentence="as the log has it",
        population={},
        result={"scenario": about, "estimated": {"lift": lift}},
    )
    with database.write() as write:
        findings.save(write, audit)


@pytest.mark.parametrize(
    ("lift", "verdict", "said"),
    [(FALLS, "pass", "fail"), (UNSURE, "pass", "pass"), (FALLS, "unknown", "unknown"), ({}, "pass", "pass")],
)
def test_only_harm_that_the_log_can_tell_is_harm(
    sqlite_database: Database, lift: dict[str, Any], verdict: Verdict, said: Verdict
) -> None:
    estimated(sqlite_database, lift, verdict=verdict)
    with sqlite_database.read() as read:
        assert preflight(read, "home", 2).verdict == said
        assert preflight(read, "home", 3).verdict == "unknown"


def test_an_estimate_of_something_else_is_none_of_this_version(sqlite_database: Database) -> None:
    estimated(sqlite_database, FALLS, edits={"caps": {}})
    with sqlite_database.read() as read:
        assert preflight(read, "home", 2).audit_id == ""


def test_shown_harm_or_a_missing_estimate_that_is_required_keeps_it_from_starting(
    stand: Control, sqlite_database: Database
) -> None:
    with pytest.raises(Conflict, match="pre-flight"):
        stand.propose("rollout.start", "home", {**PLAN, "preflight": "require"}, warrant("alice"))
    change = approved(stand)
    estimated(sqlite_database, FALLS)
    with pytest.raises(Conflict, match="pre-flight"):
        stand.apply(change, warrant("alice", confirm="home"))
    assert begin(stand, {**PLAN, "version": 3})
