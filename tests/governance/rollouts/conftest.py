"""A policy to roll out, its traffic, and the looks of the schedule."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from governance.control import Control
from governance.tasks import TaskContext, tasks
from storage import leases, policies
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.tasks import SCHEDULE_LEASE
from tests.governance.conftest import Clock

from .begun import ROUND
from .traffic import Traffic


@pytest.fixture
def traffic(sqlite_database: Database, lake: Lake) -> Traffic:
    return Traffic(sqlite_database, lake)


@pytest.fixture
def stand(control: Control, sqlite_database: Database) -> Control:
    """Version 1 is stable."""
    with sqlite_database.write() as write:
        head = policies.head(write, "home")
        assert head is not None
        policies.save(write, replace(head, stable=1, rollout=None, previous=None))
    return control


@pytest.fixture
def turn(
    stand: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock, lake: Lake
) -> Callable[[], None]:
    """One look of the schedule, ten seconds later."""
    context = TaskContext(control=stand, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    task = next(task for task in tasks(context) if task.name == "rollouts")
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=100 * DAY)
    assert token is not None

    def run(token: int = token) -> None:
        clock.at += ROUND
        task.run(token)

    return run
