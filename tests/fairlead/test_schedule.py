"""The schedule: who leads runs the tasks, each run leaves a heartbeat, and one bad task stops nothing."""

import threading
from collections.abc import Callable

from fairlead.schedule import Schedule
from storage import heartbeats, leases
from storage.database import Database
from storage.errors import Unavailable
from storage.records.clock import SECOND
from storage.records.tasks import SCHEDULE_LEASE, Task


class Clock:
    def __init__(self) -> None:
        self.at = 1_000 * SECOND

    def __call__(self) -> int:
        return self.at


def task(name: str, run: Callable[[int], None]) -> Task:
    return Task(name=name, every_s=10.0, run=run)


def beats(database: Database) -> dict[str, heartbeats.Heartbeat]:
    with database.read() as read:
        return {beat.name: beat for beat in heartbeats.heartbeats(read)}


def test_two_instances_run_a_task_once(database: Database) -> None:
    clock, ran = Clock(), []
    first, second = (
        Schedule(database, [task("poll", lambda token, who=who: ran.append((who, token)))], holder=who, now=clock)
        for who in ("a", "b")
    )
    for schedule in (first, second):
        schedule.lead()
        schedule.run("poll")
    assert ran == [("a", 1)]


def test_the_lease_passes_on_with_a_higher_token(sqlite_database: Database) -> None:
    clock, tokens = Clock(), []
    first, second = (
        Schedule(sqlite_database, [task("poll", tokens.append)], holder=who, ttl_s=15.0, now=clock) for who in "ab"
    )
    first.lead()
    first.run("poll")
    clock.at += 16 * SECOND
    second.lead()
    second.run("poll")
    assert first.run("poll") is False, "a leader whose lease ran out runs nothing, even before it notices"
    first.lead()
    assert first.token is None
    assert tokens == [1, 2]


def test_stopping_gives_the_lease_back(sqlite_database: Database) -> None:
    clock = Clock()
    first, second = (Schedule(sqlite_database, [], holder=who, now=clock) for who in "ab")
    first.start()
    first.lead()
    first.stop()
    second.lead()
    assert second.token is not None


def test_a_renewal_that_comes_after_the_stop_takes_nothing(sqlite_database: Database) -> None:
    clock = Clock()
    first, second = (Schedule(sqlite_database, [], holder=who, now=clock) for who in "ab")
    first.start()
    first.lead()
    first.stop()
    first.lead()
    second.lead()
    assert (first.token, second.token) == (None, 2)


def test_each_run_leaves_a_heartbeat_and_a_bug_stops_nothing(sqlite_database: Database) -> None:
    clock = Clock()

    def refuse(_token: int) -> None:
        raise Unavailable("the peer does not answer")

    def break_down(_token: int) -> None:
        raise ZeroDivisionError

    tasks = [task("good", lambda _token: None), task("refusing", refuse), task("broken", break_down)]
    schedule = Schedule(sqlite_database, tasks, holder="a", now=clock)
    schedule.lead()
    assert [schedule.run(name) for name in ("good", "refusing", "broken")] == [True, False, False]
    found = beats(sqlite_database)
    assert (found["good"].error, found["good"].last_ok) == ("", clock.at)
    assert found["refusing"].error == "the peer does not answer"
    assert found["broken"].error.startswith("ZeroDivisionError")
    assert found["broken"].last_ok is None
    assert found["broken"].last_run == clock.at


def test_a_lost_database_ends_the_lead_only_with_the_lease(sqlite_database: Database) -> None:
    clock = Clock()
    schedule = Schedule(sqlite_database, [], holder="a", ttl_s=15.0, now=clock)
    schedule.lead()

    class Away:
        def write(self) -> None:
            raise Unavailable("the database does not answer")

    schedule._database = Away()  # type: ignore[assignment]  # a database that is away
    clock.at += 5 * SECOND
    schedule.lead()
    assert schedule.token == 1
    clock.at += 11 * SECOND
    schedule.lead()
    assert schedule.token is None


def test_the_clock_runs_tasks_by_itself(sqlite_database: Database) -> None:
    ran = threading.Event()
    schedule = Schedule(sqlite_database, [task("poll", lambda _token: ran.set())], holder="a")
    schedule.start()
    try:
        assert ran.wait(20.0)
    finally:
        schedule.stop()
    with sqlite_database.write() as write:
        taken = leases.acquire(write, SCHEDULE_LEASE, "b", now=Clock()(), ttl_us=SECOND)
    assert taken is not None


def test_stopping_does_not_wait_for_ever_for_a_busy_task(sqlite_database: Database) -> None:
    begun, go = threading.Event(), threading.Event()

    def busy(_token: int) -> None:
        begun.set()
        go.wait(30.0)

    schedule = Schedule(sqlite_database, [task("busy", busy)], holder="a")
    schedule.start()
    try:
        assert begun.wait(20.0)
        assert schedule.stop(within_s=0.05) is False
    finally:
        go.set()
