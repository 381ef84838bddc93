"""The tasks against real replicas behind real sockets: every replica asked, one that fails holds up nobody."""

import socket

import pytest

from collectors.targets import targets
from collectors.tasks import CollectorContext, tasks
from storage import cells, leases, receipts, series
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.changes import Receipt
from storage.records.clock import MINUTE
from storage.records.tasks import SCHEDULE_LEASE
from storage.scrapes import scrapes
from tests.collectors.engines import REQUESTS, START, Engine
from tests.collectors.journals import Journal, decision, event
from tests.collectors.replicas import serve


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_every_registered_replica_is_read_and_a_dead_one_named(database, home):
    engines = [Engine(name) for name in ("r0", "r1")]
    journals = [Journal(name, f"log-{name}") for name in ("r0", "r1")]
    for place, (engine, journal) in enumerate(zip(engines, journals, strict=True)):
        engine.work("ok", 1)
        engine.close()
        made = decision(START, place)
        journal.write(made, event(made, "impression", START))
    now = START + MINUTE
    with serve(engines[0], journals[0]) as first, serve(engines[1], journals[1]) as second:
        urls = {"r0": first, "r1": second, "dead": f"http://127.0.0.1:{free_port()}", "old": "http://127.0.0.1:1"}
        with database.write() as write:
            token = leases.acquire(write, SCHEDULE_LEASE, "test", now=now, ttl_us=MINUTE)
            for replica, url in urls.items():
                at = START - MINUTE if replica == "old" else now
                receipt = Receipt(replica=replica, boot_id="b", url=url + "/", revision=1, consent_epoch=1, at=at)
                receipts.report(write, receipt)
        with database.read() as read:
            assert [found.replica for found in targets(read, now=now)] == ["dead", "r0", "r1"]
        context = CollectorContext(
            database=database, lake=Lake(home / "lake"), home=home, token="secret", now=lambda: now
        )
        by_name = {task.name: task for task in tasks(context)}
        assert set(by_name) == {"poll-metrics", "poll-journal", "roll-up", "compact", "keep", "sync-catalogue"}
        for name in ("poll-metrics", "poll-journal"):
            with pytest.raises(Unavailable, match="dead: http"):
                by_name[name].run(token)
    for name in ("roll-up", "compact", "keep"):
        by_name[name].run(token)
    with database.read() as read:
        (total,) = series.total(read, REQUESTS, start=START, end=START + MINUTE, labels={"outcome": "ok"})
        (counted,) = cells.totals(read, start=0, end=now, by=())
        results = {key: scrape.result for key, scrape in scrapes(read).items()}
    assert (total.value, total.replicas) == (2, 2)
    assert counted.impressions == 2
    assert results == {
        (replica, what): "http" if replica == "dead" else "ok"
        for replica in ("r0", "r1", "dead")
        for what in ("metrics", "journal")
    }


def test_without_replicas_the_tasks_have_nothing_to_do(sqlite_database, home):
    context = CollectorContext(
        database=sqlite_database, lake=Lake(home / "lake"), home=home, token="t", now=lambda: START
    )
    for task in tasks(context):
        task.run(1)
