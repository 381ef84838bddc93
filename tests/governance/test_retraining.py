"""What retraining is due: each slot once, in its zone, none made up for long after."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from governance.control import Control
from governance.retraining import RetrainPlan, Slot, due
from governance.tasks import TaskContext, tasks
from storage import jobs, leases, ledger
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import HOUR, MINUTE, instant
from storage.records.tasks import SCHEDULE_LEASE

from .conftest import Clock

BERLIN = RetrainPlan(minor=False, hour=3, zone="Europe/Berlin")


def at(text: str, zone: str = "UTC") -> int:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def asked(database: Database, plan: RetrainPlan, now: int) -> list[tuple[str, str]]:
    with database.read() as read:
        return [(slot.kind, slot.at) for slot in due(read, plan, now)]


def test_minor_every_hour_major_once_a_day(sqlite_database: Database) -> None:
    plan = RetrainPlan(hour=3)
    hours = [asked(sqlite_database, plan, at("2026-11-21T00:00") + hour * HOUR + MINUTE) for hour in range(24)]
    assert [[kind for kind, _ in found] for found in hours] == [
        ["minor", "major"] if hour in {3, 4} else ["minor"] for hour in range(24)
    ]
    assert hours[3][1] == hours[4][1] == ("major", "2026-11-21T03:00:00+00:00")


def test_a_slot_that_was_missed_waits_for_the_next(sqlite_database: Database) -> None:
    plan = RetrainPlan(hour=3)
    assert asked(sqlite_database, plan, at("2026-11-21T05:15")) == [("minor", "2026-11-21T05:00:00+00:00")]
    assert asked(sqlite_database, plan, at("2026-11-21T05:15") + 1) == []


@pytest.mark.parametrize("minor", [True, False])
@pytest.mark.parametrize("major", [True, False])
def test_each_is_switched_by_itself(sqlite_database: Database, minor: bool, major: bool) -> None:
    plan = RetrainPlan(minor=minor, major=major, hour=3)
    found = [kind for kind, _ in asked(sqlite_database, plan, at("2026-11-21T03:05"))]
    assert found == ["minor"] * minor + ["major"] * major


def test_the_hour_is_that_of_the_zone_on_every_day_of_the_year(sqlite_database: Database) -> None:
    for day, offset in (("2026-07-01", "+02:00"), ("2026-12-01", "+01:00")):
        now = at(f"{day}T03:10", "Europe/Berlin")
        assert asked(sqlite_database, BERLIN, now) == [("major", f"{day}T03:00:00{offset}")]
        assert asked(sqlite_database, BERLIN, now - HOUR) == []
    for plan, night in ((RetrainPlan(minor=False, hour=2, zone="Europe/Berlin"), "2026-03-29"), (BERLIN, "2026-10-25")):
        start = at(f"{night}T00:00", "Europe/Berlin")
        slots = {slot for step in range(24 * 6) for slot in asked(sqlite_database, plan, start + step * 10 * MINUTE)}
        assert len(slots) == 1, "the hour that the clock skips or repeats is one slot"


def test_the_leader_asks_once_and_it_stands_in_the_ledger(
    control: Control, clock: Clock, sqlite_database: Database, keys: Keys, home: Path
) -> None:
    clock.at = now = at("2026-11-21T03:05")
    lake = Lake(home / "lake")
    context = TaskContext(control=control, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    (task,) = (one for one in tasks(context) if one.name == "retrain")
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "me", now=now, ttl_us=HOUR)
    assert token is not None
    task.run(token)
    task.run(token)
    with sqlite_database.read() as read:
        found = jobs.jobs(read, name="retrain")
        entries = ledger.entries(read, action="job.request")
    assert sorted((job.arguments["kind"], job.arguments["slot"]) for job in found) == [
        ("major", "2026-11-21T03:00:00+00:00"),
        ("minor", "2026-11-21T03:00:00+00:00"),
    ]
    assert len(entries) == 2
    assert Slot(kind="minor", at="2026-11-21T03:00:00+00:00").at in entries[0].reason + entries[1].reason
