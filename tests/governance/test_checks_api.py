"""Checks over the API: last words, history, a look now with its entry, and control's own metrics."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from governance.checks.roster import CHECKS
from storage import ledger
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys

from .conftest import REASON
from .served import People


def test_before_the_first_look_nothing_is_known(people: People) -> None:
    found = people("mia", "marketer").get("/checks").json()["checks"]
    assert [one["name"] for one in found] == [check.name for check in CHECKS]
    assert {(one["verdict"], one["stale"]) for one in found} == {("unknown", True)}


def test_a_look_now_is_kept_and_entered(people: People, sqlite_database: Database, clock: object) -> None:
    olga = people("olga", "ops")
    told = olga.post("/checks/run", json={"reason": REASON}).json()["checks"]
    by_name = {one["name"]: one for one in told}
    assert by_name["ledger"]["verdict"] == "pass" and by_name["latency"]["verdict"] == "unknown"
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert (entry.action, entry.actor, entry.after["ledger"]) == ("checks.run", "olga", "pass")
    assert olga.get("/checks").json()["checks"] == told
    shown = olga.get("/checks/ledger").json()
    assert shown["check"]["verdict"] == "pass" and len(shown["history"]) == 1
    assert olga.get("/checks/none").status_code == 404
    assert olga.post("/checks/run", json={"reason": "no"}).status_code == 422
    assert people("mia", "marketer").post("/checks/run", json={"reason": REASON}).status_code == 403


def test_prometheus_reads_what_checks_say(people: People, sqlite_database: Database, keys: Keys, home: Path) -> None:
    olga = people("olga", "ops")
    olga.post("/checks/run", json={"reason": REASON})
    with sqlite_database.read() as read:
        Anchors(home / "anchors" / "anchors.jsonl", keys.signing).anchor(read, 1)
    bearer = {"authorization": f"Bearer {olga.token}"}
    answer = people.client.get("/metrics", headers=bearer)
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    said = {one.labels["check"]: one.value for one in samples if one.name == "fairlead_check_verdict"}
    assert said.keys() == {check.name for check in CHECKS}
    assert (said["ledger"], said["latency"]) == (1.0, 0.0)
    names = {one.name for one in samples}
    assert {"fairlead_ledger_chain_seq", "fairlead_ledger_anchor_age_seconds"} <= names
    assert people.client.get("/metrics").status_code == 401
    mia = people.token("mia", "marketer")
    assert people.client.get("/metrics", headers={"authorization": f"Bearer {mia}"}).status_code == 403
