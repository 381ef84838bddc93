"""The dead man's switch with real parts: an engine, the schedule with its collectors, a receiver; then they stop."""

import time
from pathlib import Path

import pytest

import collectors.tasks
from fairlead.schedule import Schedule
from governance.alerts import rounds
from governance.alerts.courier import Courier, Sender
from governance.alerts.deadman import Watch
from governance.alerts.destinations import parse
from storage import alerts
from storage.lake import Lake
from storage.records import clock
from storage.records.clock import SECOND
from storage.records.tasks import Task
from tests.e2e.installation import until
from tests.governance.alarms import webhook
from tests.scoring_core.edges.running import install, running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
STALE = 8 * SECOND


def test_when_the_schedule_stops_the_watch_tells_and_the_heartbeat_stays_away(home: Path) -> None:
    installed = install(home)
    database = installed.database

    def open_now() -> list[str]:
        with database.read() as read:
            return [one.fingerprint for one in alerts.unresolved(read)]

    with running(installed, lease_s=60.0) as engine, webhook() as desk, webhook() as outside:
        seen = collectors.tasks.CollectorContext(
            database=database, lake=Lake(home / "lake"), home=home, token=engine.token, now=clock.now
        )
        polls = next(task for task in collectors.tasks.tasks(seen) if task.name == "poll-metrics")
        tasks = (
            Task(name=polls.name, every_s=0.5, run=polls.run),
            Task(name="checks.patrol", every_s=1.0, run=lambda _token: None),
            Task(name="alerts", every_s=1.0, run=lambda _token: rounds.look(database, now=clock.now())),
        )
        schedule = Schedule(database, tasks, holder="test")
        known = parse(f"desk=json://127.0.0.1:{desk.port}/")
        courier = Courier(database, known, Sender(environment="test"), now=clock.now)
        watch = Watch(
            database, known, courier, heartbeat=f"{outside.url}/alive", stale_us=STALE, every_s=0.5, now=clock.now
        )
        stopped = False
        schedule.start()
        watch.start()
        try:
            assert until(lambda: len(outside.got) > 1, within_s=90.0), "while all is well it is called"
            assert until(lambda: not open_now(), within_s=60.0)
            before = len([body for _, body in desk.got if "FIRING" in body["title"]])
            schedule.stop()
            stopped = True
            assert until(lambda: "watch:deadman" in open_now(), within_s=60.0)
            fired = until(lambda: [body for _, body in desk.got if "FIRING" in body["title"]][before:], within_s=60.0)
            calls = len(outside.got)
            time.sleep(2 * STALE / SECOND)
            assert len(outside.got) == calls, "nobody calls outside any more"
        finally:
            watch.stop()
            if not stopped:
                schedule.stop()
    assert fired[0]["title"] == "[FIRING] test: Nobody watches"
    assert fired[0]["what"].startswith("Nobody watches: no ")
