"""What control writes, and what it refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from governance.control import Control
from governance.preset import Preset
from storage import ledger, revisions
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval
from storage.keys import Keys, read_token
from storage.records.changes import LedgerEntry

from .conftest import REASON, preset, warrant


def entries(database: Database, **filters: str) -> list[LedgerEntry]:
    with database.read() as read:
        return ledger.entries(read, **filters, limit=1000)


def test_bootstrap_happens_once(control: Control, sqlite_database: Database, home: Path) -> None:
    before = entries(sqlite_database)
    token = read_token(home, "admin")
    again = control.bootstrap(home, preset())
    assert again.tokens == () and not again.preset
    assert entries(sqlite_database) == before and read_token(home, "admin") == token
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.revision == again.revision == 1
    assert snapshot.policies["home"].stable == 1 and set(snapshot.campaigns) == {"men", "prices"}
    assert all(not entry.four_eyes for entry in before)


def test_instances_that_start_together_set_up_once(database: Database, keys: Keys, home: Path) -> None:
    def start(chosen: Preset | None) -> None:
        Control(database, keys, environment="test", solo=False).bootstrap(home, chosen)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, [preset(), None, preset(), None, preset(), None]))
    start(preset())
    with database.read() as read:
        snapshot = revisions.load(read)
        installed = ledger.entries(read, action="installation.preset", result="applied")
    assert snapshot is not None and snapshot.installation == preset().installation
    assert set(snapshot.policies) == {"home"} and 1 <= len(installed) <= 2


def test_a_lost_token_file_is_replaced(control: Control, home: Path) -> None:
    (home / "keys" / "admin.token").unlink()
    assert control.bootstrap(home).tokens == ("admin",)
    assert read_token(home, "admin")


def test_each_change_is_one_entry_and_one_revision(database: Database, build: Callable[..., Control]) -> None:
    control = build(database)
    with database.read() as read:
        revision, count = revisions.number(read), len(ledger.entries(read, limit=1000))
    outcome = control.do("campaign.pause", "men", {}, warrant("mary", "marketer"))
    assert outcome.revision == revision + 1 and outcome.level == "safe"
    found = entries(database)
    assert len(found) == count + 1
    assert (found[0].actor, found[0].action, found[0].object_key) == ("mary", "campaign.pause", "men")
    assert found[0].before["status"] == "running" and found[0].after["status"] == "paused"
    assert found[0].reason == REASON and found[0].revision == outcome.revision and found[0].four_eyes
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.campaigns["men"].status == "paused"


def test_a_refusal_changes_nothing_and_is_entered(control: Control, sqlite_database: Database) -> None:
    with pytest.raises(NeedsApproval):
        control.do("policy.rollout", "home", {"version": 2, "percent": 50}, warrant("olga", "ops", confirm="home"))
    with pytest.raises(Forbidden):
        control.do("policy.rollout", "home", {"version": 2, "percent": 1}, warrant("mary", "marketer"))
    with pytest.raises(Conflict):
        control.do("campaign.resume", "men", {}, warrant())
    denied = entries(sqlite_database, result="denied")
    assert [(entry.actor, entry.action, entry.after["code"]) for entry in denied] == [
        ("alice", "campaign.resume", "FL-1409"),
        ("mary", "policy.rollout", "FL-1403"),
        ("olga", "policy.rollout", "FL-1407"),
    ]
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.revision == 1


@pytest.mark.parametrize("reason", ["", "too short", "         x          "])
def test_a_reason_is_needed_even_for_the_safe_direction(control: Control, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        control.do("campaign.pause", "men", {}, warrant(reason=reason))
    assert [problem.field for problem in refusal.value.problems] == ["reason"]


def test_kill_is_one_step_and_lifting_it_names_the_environment(control: Control, sqlite_database: Database) -> None:
    on = control.do("kill.on", "kill_switch", {}, warrant("olga", "ops"))
    assert on.level == "safe" and on.after["on"] and on.after["reason"] == REASON
    with pytest.raises(Conflict):
        control.do("kill.on", "kill_switch", {}, warrant())
    with pytest.raises(Invalid):
        control.do("kill.off", "kill_switch", {}, warrant(confirm="kill_switch"))
    assert not control.do("kill.off", "kill_switch", {}, warrant(confirm="test")).after["on"]


def test_the_ledger_stays_whole(control: Control, sqlite_database: Database, keys: Keys, home: Path) -> None:
    control.do("campaign.pause", "men", {}, warrant())
    anchors = Anchors(home / "anchors" / "anchors.jsonl", keys.signing)
    with sqlite_database.read() as read:
        anchors.anchor(read, 1)
        assert ledger.verify(read, keys=keys, anchors=anchors).ok
