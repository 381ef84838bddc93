"""Opt-outs: recorded once, in the ledger by commitment only, acknowledged when the replicas say so."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from governance.acknowledgement import Acknowledgements
from governance.control import Control
from storage import consent, ledger, receipts, revisions
from storage.database import Database
from storage.errors import Forbidden, Invalid
from storage.keys import Keys
from storage.pseudonyms import Salts
from storage.records import clock as wall
from storage.records.changes import Receipt
from storage.records.clock import SECOND
from storage.records.consent import Purpose

from .conftest import REASON, Clock, warrant


def report(database: Database, replica: str, epoch: int, at: int) -> None:
    receipt = Receipt(
        replica=replica, boot_id="b", url=f"http://{replica}", revision=1, consent_epoch=epoch, at=at, started_at=at
    )
    with database.write() as write:
        receipts.report(write, receipt)


@contextmanager
def replica(database: Database, name: str, clock: Callable[[], int], *, every_s: float = 0.03) -> Iterator[None]:
    """A replica as consent knows it: reads the epoch, then reports it."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(every_s):
            with database.read() as read:
                epoch = consent.epoch(read)
            report(database, name, epoch, clock())

    report(database, name, 0, clock())
    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_an_opt_out_waits_for_every_replica(database: Database, build: Callable[..., Control], clock: Clock) -> None:
    control = build(database)
    with replica(database, "a", clock), replica(database, "b", clock):
        answer = control.opt_out("u-1", Purpose.PERSONALIZATION, warrant("olga", "ops"))
    assert answer.complete and answer.acknowledged_by == ("a", "b") and answer.waiting_for == ()
    assert answer.epoch == 1 and answer.waited_ms < 2500
    with database.read() as read:
        assert revisions.number(read) == 1
        entry = ledger.entries(read, limit=1)[0]
    assert entry.action == "consent.opt_out" and entry.revision is None
    assert entry.after == {"purpose": "personalization", "state": "denied", "epoch": 1, "source": "control"}


def test_a_silent_replica_is_waited_for_and_named(sqlite_database: Database) -> None:
    now, passed = Clock(), [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += max(seconds, 0.001)
        report(sqlite_database, "quick", 5, now.at)

    report(sqlite_database, "quick", 4, now.at)
    report(sqlite_database, "slow", 4, now.at - 9 * SECOND)
    report(sqlite_database, "gone", 4, now.at - 3_601 * SECOND)
    waiting = Acknowledgements(sqlite_database, now=now, monotonic=lambda: passed[0], sleep=sleep)
    answer = waiting.wait(5)
    assert not answer.complete and answer.acknowledged_by == ("quick",) and answer.waiting_for == ("slow",)
    assert 2500 <= answer.waited_ms <= 2520


def test_with_no_replica_there_is_nobody_to_wait_for(control: Control) -> None:
    answer = control.opt_out("u-1", Purpose.TRACKING, warrant("olga", "ops"))
    assert answer.complete and answer.acknowledged_by == ()


def test_many_opt_outs_at_once_are_each_recorded(
    database: Database, build: Callable[..., Control], keys: Keys, clock: Clock
) -> None:
    control = build(database)
    answers: list[Any] = []

    def leave(number: int) -> None:
        answers.extend(
            control.opt_out(f"u-{number}-{turn}", Purpose.PERSONALIZATION, warrant("olga", "ops")) for turn in range(5)
        )

    with replica(database, "a", clock, every_s=0.005):
        threads = [threading.Thread(target=leave, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answer.epoch for answer in answers) == list(range(1, 41))
    assert all(answer.complete for answer in answers)
    with database.read() as read:
        assert consent.summary(read) == {"personalization": {"denied": 40}}
        assert len(ledger.entries(read, action="consent.opt_out", limit=100)) == 40


def test_raw_ids_stay_out_of_everything(control: Control, sqlite_database: Database, keys: Keys) -> None:
    raw = "jane.doe@example.org"
    control.opt_out(raw, Purpose.EMAIL, warrant("olga", "ops"))
    control.opt_in(raw, Purpose.EMAIL, warrant("olga", "ops"), source="shop")
    pseudonym = Salts(sqlite_database, keys.lookup).find(raw)
    with sqlite_database.read() as read:
        history = consent.history(read, pseudonym or "")
        entries = ledger.entries(read, object_kind="subject")
    assert [(change.state, change.source, change.actor) for change in history] == [
        ("denied", "control", "olga"),
        ("granted", "shop", "olga"),
    ]
    assert {entry.object_key for entry in entries} == {ledger.commitment(keys, pseudonym)}
    assert raw.encode() not in sqlite_database.url.database.encode() and pseudonym is not None
    with sqlite_database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]  # sqlite3's own
    assert raw not in dump


def test_a_look_up_is_entered_and_makes_nothing(control: Control, sqlite_database: Database, keys: Keys) -> None:
    assert control.consent_history("nobody", warrant("olga", "ops")) == []
    assert Salts(sqlite_database, keys.lookup).find("nobody") is None
    with sqlite_database.read() as read:
        assert ledger.entries(read, limit=1)[0].action == "consent.look_up"


@pytest.mark.parametrize("subject", ["", "x" * 257])
def test_a_subject_has_a_length(control: Control, subject: str) -> None:
    with pytest.raises(Invalid):
        control.opt_out(subject, Purpose.TRACKING, warrant("olga", "ops"))


def test_withdrawing_asks_no_more_than_giving(control: Control, sqlite_database: Database) -> None:
    for act in (control.opt_out, control.opt_in):
        with pytest.raises(Invalid):
            act("u-1", Purpose.TRACKING, warrant("olga", "ops", reason=""))
        with pytest.raises(Forbidden):
            act("u-1", Purpose.TRACKING, warrant("mary", "marketer"))
        act("u-1", Purpose.TRACKING, warrant("olga", "ops", reason=REASON))
    with sqlite_database.read() as read:
        assert consent.epoch(read) == 2
        assert len(ledger.entries(read, result="denied")) == 2


def test_the_wall_clock_is_the_default(sqlite_database: Database, keys: Keys) -> None:
    control = Control(sqlite_database, keys, environment="test", solo=False)
    report(sqlite_database, "old", 0, wall.now() - 7_200 * SECOND)
    assert control.opt_out("u-1", Purpose.TRACKING, warrant("olga", "ops")).complete


def test_whose_clock_is_wrong_is_waited_for_and_who_is_gone_is_not(sqlite_database: Database) -> None:
    now, passed = Clock(), [0.0]
    late, early = now.at - 600 * SECOND, now.at + 600 * SECOND

    def sleep(seconds: float) -> None:
        passed[0] += max(seconds, 0.001)
        report(sqlite_database, "early", 5, early + int(passed[0] * SECOND))
        if 1.0 < passed[0] < 2.0:
            report(sqlite_database, "late", 5, late + int(passed[0] * SECOND))

    report(sqlite_database, "early", 4, early)
    report(sqlite_database, "late", 4, late)
    waiting = Acknowledgements(sqlite_database, now=now, monotonic=lambda: passed[0], sleep=sleep)
    answer = waiting.wait(5)
    assert answer.complete and answer.acknowledged_by == ("early", "late") and answer.waited_ms >= 1000
    passed[0] += 11.0  # nobody looks meanwhile, and one of them goes on reporting
    report(sqlite_database, "early", 5, early + int(passed[0] * SECOND))
    answer = waiting.wait(6)
    assert not answer.complete and answer.waiting_for == ("early",)
