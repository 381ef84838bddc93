"""The watch outside the schedule: it sees that nobody watches, says so by itself, and stops calling outside."""

from concurrent.futures import wait
from typing import Any

from governance.alerts.courier import Courier, Sender
from governance.alerts.deadman import STALE, WATCHED, Watch
from governance.alerts.destinations import parse
from storage import alerts, heartbeats, series
from storage.database import Database
from storage.records.clock import MINUTE, SECOND
from storage.records.metrics import Window
from tests.governance.alarms import webhook
from tests.governance.conftest import NOW, Clock


def lives(database: Database, at: int, *, seq: int = 0, collects: bool = True, runs: bool = True) -> None:
    """What collectors and the schedule leave behind while they live."""
    with database.write() as write:
        if collects:
            made = Window(
                replica="engine-0",
                boot_id="b",
                seq=seq,
                start=at - 10 * SECOND,
                end=at,
                monotonic_us=10 * SECOND,
                counters=(),
                histograms=(),
                gauges=(),
            )
            series.store(write, "t0", made)
        for name in WATCHED if runs else ():
            heartbeats.beat(write, name, every_s=30.0, at=at)


def watch(database: Database, clock: Clock, text: str, **more: Any) -> tuple[Watch, Courier]:
    known = parse(text)
    courier = Courier(database, known, Sender(environment="test"), now=clock)
    return Watch(database, known, courier, now=clock, **more), courier


def open_now(database: Database) -> list[str]:
    with database.read() as read:
        return [one.sentence for one in alerts.unresolved(read)]


def test_collectors_that_stop_are_told_by_the_watch_and_the_call_outside_stays_away(database: Database) -> None:
    clock = Clock()
    with webhook() as desk, webhook() as outside:
        made, courier = watch(database, clock, f"ops=json://127.0.0.1:{desk.port}/", heartbeat=f"{outside.url}/beat")
        for step in range(5):
            lives(database, clock.at, seq=step)
            wait(made.look(), 10)
            clock.at += MINUTE
        assert [path for path, _ in outside.got] == ["/beat"] * 5 and open_now(database) == []
        for _ in range(4):  # the schedule goes on, the collectors do not
            lives(database, clock.at, collects=False)
            wait(made.look(), 10)
            clock.at += MINUTE
        (said,) = open_now(database)
        assert "no metric window for" in said and "no run" not in said
        calls = len(outside.got)
        for _ in range(3):
            wait(made.look(), 10)
            clock.at += MINUTE
        assert len(outside.got) == calls
        for step in range(3):
            lives(database, clock.at, seq=50 + step)
            wait(made.look(), 10)
            clock.at += MINUTE
        assert open_now(database) == [] and len(outside.got) == calls + 3
        wait(courier.look(), 10)
        made.stop()
    titles = [body["title"] for _, body in desk.got]
    assert titles[0] == "[FIRING] test: Nobody watches"


def test_a_schedule_that_stops_is_told_too(database: Database) -> None:
    clock = Clock()
    made, _ = watch(database, clock, "ops=json://127.0.0.1:9/")
    lives(database, clock.at)
    clock.at += STALE + MINUTE
    lives(database, clock.at, seq=1, runs=False)
    wait(made.look(), 10)
    (said,) = open_now(database)
    assert "no run of poll-metrics" in said and "checks.patrol" in said and "alerts" in said


def test_a_start_after_a_pause_alarms_nobody_at_once(database: Database) -> None:
    clock = Clock()
    lives(database, NOW)
    clock.at += 60 * MINUTE
    made, _ = watch(database, clock, "")
    wait(made.look(), 10)
    assert open_now(database) == []
    clock.at += STALE
    wait(made.look(), 10)
    assert len(open_now(database)) == 1


def test_what_never_began_is_no_fault(database: Database) -> None:
    clock = Clock()
    with webhook() as outside:
        made, _ = watch(database, clock, "", heartbeat=f"{outside.url}/beat")
        for _ in range(9):
            wait(made.look(), 10)
            clock.at += MINUTE
    assert open_now(database) == [] and outside.got == []
