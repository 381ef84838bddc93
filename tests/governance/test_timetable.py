"""Changes by the clock, and by one person alone: what is scheduled, overtaken, cancelled; what an emergency allows."""

from typing import Any

import pytest

from governance.control import Control
from governance.differences import differences
from storage import changes, emergencies, findings, jobs, ledger
from storage.database import Database, Read
from storage.errors import Conflict, FairleadError, Forbidden, Invalid, NeedsApproval
from storage.records.changes import Change
from storage.records.clock import DAY, HOUR, MINUTE
from storage.records.document import dump
from storage.records.findings import Audit
from storage.records.policies import Rollout

from .conftest import NOW, Clock, installation, warrant

HALF = {"version": 2, "percent": 50.0}
TYPED = {"confirm": "home"}
CAMPAIGN = {"key": "men", "name": "Gentlemen", "surfaces": ["home"], "status": "running"}


def agreed(control: Control, payload: dict[str, Any] = HALF, kind: str = "policy.rollout", key: str = "home") -> str:
    change = control.propose(kind, key, payload, warrant("alice"))
    control.submit(change.change_id, warrant("alice"))
    for name in ("bob", "carol")[: 2 if change.level == "D3" else 1]:
        control.approve(change.change_id, warrant(name))
    return change.change_id


def held(control: Control, change_id: str) -> Change:
    with control.changes.book.database.read() as read:
        change = changes.find(read, change_id)
    assert change is not None
    return change


def rollout(control: Control) -> Rollout | None:
    snapshot = control.snapshot()
    assert snapshot is not None
    return snapshot.policies["home"].rollout


def pass_due(control: Control) -> int:
    def guard(_read: Read) -> None:
        """Nobody else leads."""

    return control.timetable.apply_due(warrant("schedule"), guard)


def test_what_is_scheduled_is_applied_when_it_is_due(control: Control, clock: Clock) -> None:
    change = agreed(control)
    control.timetable.schedule(change, clock.at + HOUR, warrant("bob", **TYPED))
    assert held(control, change).state == "scheduled" and pass_due(control) == 0
    with pytest.raises(Conflict, match="60 minutes"):
        control.apply(change, warrant("bob", **TYPED))
    clock.at += HOUR
    assert pass_due(control) == 1 and pass_due(control) == 0
    out = rollout(control)
    assert held(control, change).state == "applied" and out is not None and out.percent == 50.0
    with control.changes.book.database.read() as read:
        entry = ledger.entries(read, action="policy.rollout", limit=1)[0]
    assert entry.actor == "schedule" and entry.reason.startswith("scheduled by bob")


@pytest.mark.parametrize("at", [0, -MINUTE, 31 * DAY])
def test_a_time_lies_ahead_and_not_too_far(control: Control, clock: Clock, at: int) -> None:
    with pytest.raises(Invalid, match="at: name a time"):
        control.timetable.schedule(agreed(control), clock.at + at, warrant("bob", **TYPED))


def test_nothing_is_scheduled_unconfirmed_or_unapproved(control: Control, clock: Clock) -> None:
    change = control.propose("policy.rollout", "home", HALF, warrant("alice"))
    with pytest.raises(Conflict):
        control.timetable.schedule(change.change_id, clock.at + HOUR, warrant("bob", **TYPED))
    with pytest.raises(Invalid, match="confirm"):
        control.timetable.schedule(agreed(control), clock.at + HOUR, warrant("bob"))
    with pytest.raises(Forbidden):
        control.timetable.schedule(agreed(control), clock.at + HOUR, warrant("mary", "marketer", **TYPED))


def test_what_was_overtaken_is_not_applied(control: Control, clock: Clock) -> None:
    change, other = agreed(control), agreed(control, {"version": 3, "percent": 50.0})
    control.timetable.schedule(change, clock.at + HOUR, warrant("bob", **TYPED))
    control.apply(other, warrant("bob", **TYPED))
    clock.at += HOUR
    assert pass_due(control) == 0 and held(control, change).state == "superseded"
    out = rollout(control)
    assert out is not None and out.version == 3


@pytest.mark.parametrize("way", ["withdraw", "reject", "edit"])
def test_a_scheduled_change_can_be_called_off(control: Control, clock: Clock, way: str) -> None:
    change = agreed(control)
    control.timetable.schedule(change, clock.at + HOUR, warrant("bob", **TYPED))
    calls = {
        "withdraw": lambda: control.withdraw(change, warrant("alice")),
        "reject": lambda: control.reject(change, warrant("carol")),
        "edit": lambda: control.edit(change, {"version": 2, "percent": 100.0}, warrant("alice")),
    }
    calls[way]()
    clock.at += 2 * HOUR
    assert pass_due(control) == 0 and rollout(control) is None


def loosened() -> dict[str, Any]:
    more = installation(consent_default={"demo": {"personalization": "allow", "tracking": "allow"}, "default": {}})
    return {"installation": dump(more)}


def test_what_cannot_be_undone_cools_off_before_any_time(control: Control, clock: Clock) -> None:
    change = agreed(control, loosened(), "settings.edit", "installation")
    with pytest.raises(Conflict, match="minutes"):
        control.apply(change, warrant("dan", confirm="installation"))
    with pytest.raises(Invalid):
        control.timetable.schedule(change, clock.at + 10 * MINUTE, warrant("dan", confirm="installation"))
    control.timetable.schedule(change, clock.at + 20 * MINUTE, warrant("dan", confirm="installation"))
    with pytest.raises(Conflict):
        control.timetable.schedule(change, clock.at + MINUTE, warrant("dan", confirm="installation"))
    clock.at += 20 * MINUTE
    assert pass_due(control) == 1


def test_an_emergency_lets_one_person_apply_for_half_an_hour(
    control: Control, clock: Clock, sqlite_database: Database
) -> None:
    change = control.propose("policy.rollout", "home", HALF, warrant("alice"))
    with pytest.raises(NeedsApproval):
        control.apply(change.change_id, warrant("alice", **TYPED))
    with pytest.raises(Invalid, match="environment"):
        control.emergencies.declare(warrant("alice"))
    emergency = control.emergencies.declare(warrant("alice", confirm="test"))
    with pytest.raises(NeedsApproval):
        control.apply(change.change_id, warrant("bob", **TYPED))
    control.apply(change.change_id, warrant(" ALICE", **TYPED))
    with sqlite_database.read() as read:
        entry = ledger.entries(read, action="policy.rollout", result="applied", limit=1)[0]
        assert emergencies.unreviewed(read)[0].deeds == (change.change_id,)
    assert entry.four_eyes is False and entry.after["emergency"] == emergency.emergency_id
    late = control.propose("policy.rollout", "home", {"version": 2, "percent": 100.0}, warrant("alice"))
    clock.at += 30 * MINUTE
    with pytest.raises(NeedsApproval):
        control.apply(late.change_id, warrant("alice", **TYPED))


def test_an_emergency_is_looked_at_by_somebody_else_before_the_next(control: Control, clock: Clock) -> None:
    emergency = control.emergencies.declare(warrant("alice", confirm="test"))
    clock.at += HOUR
    with pytest.raises(Conflict):
        control.emergencies.declare(warrant("Alice ", confirm="test"))
    with pytest.raises(Forbidden):
        control.emergencies.review(emergency.emergency_id, warrant("ALICE"))
    found = control.emergencies.review(emergency.emergency_id, warrant("bob"))
    assert found.reviewed_by == "bob" and found.finding
    with pytest.raises(Conflict):
        control.emergencies.review(emergency.emergency_id, warrant("carol"))
    control.emergencies.declare(warrant("alice", confirm="test"))


def test_a_review_ends_an_emergency(control: Control) -> None:
    change = control.propose("policy.rollout", "home", HALF, warrant("alice"))
    emergency = control.emergencies.declare(warrant("alice", confirm="test"))
    control.emergencies.review(emergency.emergency_id, warrant("bob"))
    with pytest.raises(NeedsApproval):
        control.apply(change.change_id, warrant("alice", **TYPED))


def test_no_emergency_does_what_cannot_be_undone(control: Control) -> None:
    change = control.propose("settings.edit", "installation", loosened(), warrant("alice"))
    control.emergencies.declare(warrant("alice", confirm="test"))
    with pytest.raises(NeedsApproval, match="undone"):
        control.apply(change.change_id, warrant("alice", confirm="installation"))


def test_an_emergency_takes_its_own_scope(control: Control) -> None:
    for role in ("marketer", "data_scientist"):
        with pytest.raises(Forbidden):
            control.emergencies.declare(warrant("mary", role, confirm="test"))


def test_a_stale_change_shows_what_moved_under_it(control: Control, sqlite_database: Database) -> None:
    campaign = {"key": "men", "name": "Men", "surfaces": ["home"], "status": "running"}
    mine = control.propose("campaign.edit", "men", {"campaign": campaign | {"name": "Gentlemen"}}, warrant("alice"))
    with sqlite_database.read() as read:
        told = differences(read, mine)
    assert [one.path for one in told.fields] == ["name"] and not told.stale and not told.moved
    theirs = {"campaign": campaign | {"name": "Boys", "holdout": 0.1}}
    tag = mine.base
    control.do("campaign.edit", "men", theirs, warrant("bob", etag=tag))
    with pytest.raises(FairleadError):
        control.submit(mine.change_id, warrant("alice"))
    with sqlite_database.read() as read:
        told = differences(read, mine)
    assert told.stale
    assert {one.path: (one.moved, one.clash) for one in told.moved} == {"name": (True, True), "holdout": (True, False)}


def test_a_rollout_shows_how_its_version_differs_from_what_serves(control: Control, sqlite_database: Database) -> None:
    change = control.propose("policy.rollout", "home", HALF, warrant("alice"))
    with sqlite_database.read() as read:
        told = differences(read, change)
    assert [one.path for one in told.policy] == ["exploration.epsilon"]


def test_what_is_broad_is_rehearsed_when_it_is_submitted(control: Control, sqlite_database: Database) -> None:
    change = agreed(control)
    with sqlite_database.write() as write:
        asked = jobs.job(write, held(control, change).dry_run)
        assert asked is not None and (asked.name, asked.arguments) == ("whatif", {"change": change})
        waiting = differences(write, held(control, change)).dry_run
        audit = Audit(
            audit_id=f"whatif-{asked.job_id}",
            kind="whatif",
            job_id=asked.job_id,
            at=NOW,
            verdict="warn",
            sentence="4 % of decisions change.",
            population={},
            result={},
        )
        findings.save(write, audit)
        told = differences(write, held(control, change)).dry_run
    assert waiting is not None and waiting["state"] == "queued" and "verdict" not in waiting
    assert told is not None and told["sentence"] == "4 % of decisions change."
    narrow = control.propose("campaign.edit", "men", {"campaign": CAMPAIGN}, warrant("alice"))
    assert control.submit(narrow.change_id, warrant("alice")).dry_run == ""
