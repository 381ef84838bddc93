"""Heartbeats: when a task last ran, last succeeded, and whether it is late."""

from storage import heartbeats
from storage.database import Database
from storage.records.clock import SECOND


def test_a_task_that_fails_keeps_its_last_success(database: Database) -> None:
    with database.write() as write:
        heartbeats.beat(write, "poll", every_s=10, at=1 * SECOND)
        heartbeats.beat(write, "anchor", every_s=60, at=1 * SECOND, error="the disk is full")
    with database.write() as write:
        heartbeats.beat(write, "poll", every_s=10, at=11 * SECOND, error="no answer")
    with database.read() as read:
        anchor, poll = heartbeats.heartbeats(read)
    assert (anchor.name, anchor.last_ok, anchor.last_run, anchor.error) == ("anchor", None, SECOND, "the disk is full")
    assert (poll.last_ok, poll.last_run, poll.error) == (SECOND, 11 * SECOND, "no answer")
    with database.write() as write:
        heartbeats.beat(write, "poll", every_s=10, at=21 * SECOND)
    with database.read() as read:
        assert heartbeats.heartbeats(read)[1].error == ""


def test_a_task_is_late_after_three_missed_runs() -> None:
    beat = heartbeats.Heartbeat(name="poll", every_s=10, last_run=100 * SECOND, last_ok=None, error="")
    assert not beat.late(130 * SECOND)
    assert beat.late(130 * SECOND + 1)
    assert heartbeats.Heartbeat(name="new", every_s=10, last_run=None, last_ok=None, error="").late(0)
