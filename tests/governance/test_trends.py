"""What trends in a cohort: growth within it, nothing of few people, nothing simulated, published once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.cards import preset_card
from governance.control import Control
from governance.tasks import TaskContext, tasks
from governance.trends import FEWEST_PEOPLE
from storage import leases, revisions
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, HOUR, MINUTE
from storage.records.document import dump
from storage.records.policies import Source
from storage.records.tasks import SCHEDULE_LEASE
from tests.collectors.journals import decision, event

from .conftest import NOW, Clock, installation, policy, warrant


@pytest.fixture
def world(
    control: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock
) -> tuple[Callable[[], None], Lake]:
    lake = Lake(home / "lake")
    context = TaskContext(control=control, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    known = {task.name: task for task in tasks(context)}
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=100 * DAY)
    return lambda: known["trends"].run(token), lake


def clicked(database: Database, lake: Lake, number: int, item: str, *, people: int, ago: int, **fields: Any) -> None:
    """People click an item, each in a decision of their own."""
    made = [
        decision(NOW - ago - MINUTE, number * 1_000 + place, subject=f"s{number}-{place}", items=(item,), **fields)
        for place in range(people)
    ]
    origin = fields.get("origin", "live")
    told = [event(each, "click", NOW - ago, item=item, subject=each.subject, origin=origin) for each in made]
    staged = [
        lake.stage(kind, replica="r0", log=f"log-{number}", from_seq=1, to_seq=people, origin=origin, records=records)
        for kind, records in (("decisions", made), ("events", told))
    ]
    with database.write() as write:
        for each in staged:
            lake.register(write, each, now=NOW)


def serve_cohorts(control: Control, model: str) -> None:
    sources = (Source(name="trending", model=model), Source(name="popular"))
    drafted = control.do("policy.draft", "home", {"document": dump(policy(sources=sources))}, warrant())
    version = drafted.after["version"]
    control.do("policy.card", "home", {"version": str(version), "card": dump(preset_card("test"))}, warrant())
    change = control.propose("policy.rollout", "home", {"version": version, "percent": 100}, warrant())
    control.submit(change.change_id, warrant())
    control.approve(change.change_id, warrant("bert"))
    control.apply(change.change_id, replace(warrant(), confirm="home"))


def trending(database: Database) -> dict[str, tuple[str, ...]]:
    with database.read() as read:
        found = revisions.load(read)
    assert found is not None
    return dict(found.trending)


def test_each_cohort_has_its_own_trend(
    world: tuple[Callable[[], None], Lake], control: Control, sqlite_database: Database
) -> None:
    run, lake = world
    calm, wild = {"context": {"mood": "calm"}}, {"user_attributes": {"mood": "wild"}}
    clicked(sqlite_database, lake, 1, "rising", people=30, ago=10 * MINUTE, **calm)
    clicked(sqlite_database, lake, 2, "steady", people=60, ago=20 * HOUR, **calm)
    clicked(sqlite_database, lake, 3, "steady", people=25, ago=MINUTE, **wild)
    clicked(sqlite_database, lake, 4, "told", people=FEWEST_PEOPLE - 1, ago=MINUTE, context={"mood": "rare"})
    clicked(sqlite_database, lake, 5, "made up", people=90, ago=MINUTE, origin="simulated", **calm)
    run()
    assert trending(sqlite_database) == {}, "no policy asks for a cohort"
    assert installation().surfaces
    serve_cohorts(control, "mood")
    run()
    assert trending(sqlite_database) == {"mood=calm": ("rising", "steady"), "mood=wild": ("steady",)}
    with sqlite_database.read() as read:
        before = revisions.number(read)
    run()
    with sqlite_database.read() as read:
        assert revisions.number(read) == before, "published once"
