"""Receipts: the latest per replica, who counts as registered, and how long changes took."""

from dataclasses import replace

import pytest

from storage import receipts
from storage.database import Database
from storage.errors import Invalid
from storage.records.changes import Receipt
from storage.records.clock import SECOND

ONE = Receipt(
    replica="engine-1",
    boot_id="boot-a",
    url="http://127.0.0.1:8010",
    revision=3,
    consent_epoch=9,
    at=100 * SECOND,
    ready=True,
    started_at=SECOND,
    details={"models": {"ranker": "v1"}},
)


def test_the_latest_receipt_of_each_replica_is_kept(database: Database) -> None:
    two = replace(ONE, replica="engine-2", at=95 * SECOND, ready=False)
    with database.write() as write:
        receipts.report(write, two)
        receipts.report(write, ONE)
    with database.write() as write:
        receipts.report(write, replace(ONE, boot_id="boot-b", revision=4))
    with database.read() as read:
        assert receipts.receipts(read) == [replace(ONE, boot_id="boot-b", revision=4), two]


def test_only_who_reported_lately_is_registered(database: Database) -> None:
    with database.write() as write:
        receipts.report(write, ONE)
        receipts.report(write, replace(ONE, replica="gone", at=89 * SECOND))
        receipts.report(write, replace(ONE, replica="just", at=90 * SECOND))
    with database.read() as read:
        names = [receipt.replica for receipt in receipts.registered(read, 100 * SECOND, 10 * SECOND)]
    assert names == ["engine-1", "just"]


def test_a_boot_that_stops_on_purpose_withdraws_its_own_receipt_only(database: Database) -> None:
    with database.write() as write:
        receipts.report(write, ONE)
        receipts.withdraw(write, "engine-1", "an older boot")
    with database.read() as read:
        assert receipts.receipts(read) == [ONE]
    with database.write() as write:
        receipts.withdraw(write, "engine-1", "boot-a")
    with database.read() as read:
        assert receipts.receipts(read) == []


def test_propagation_adds_up_by_boot_and_kind(database: Database) -> None:
    zero = [0] * 10
    one, two = [1, *zero[1:]], [0, 2, *zero[2:]]
    with database.write() as write:
        receipts.add_propagation(write, "engine-1", "a", "policy", counts=one, sum_s=0.05)
        receipts.add_propagation(write, "engine-1", "a", "policy", counts=two, sum_s=0.25)
        receipts.add_propagation(write, "engine-1", "b", "policy", counts=one, sum_s=0.5)
    with database.write() as write:
        receipts.add_propagation(write, "engine-1", "a", "policy", counts=one, sum_s=0.25)
        receipts.add_propagation(write, "engine-1", "a", "consent", counts=two, sum_s=1.0)
    with database.read() as read:
        found = receipts.propagation(read)
    assert [(p.boot_id, p.kind, p.counts[:2], p.sum_s) for p in found] == [
        ("a", "consent", (0, 2), 1.0),
        ("a", "policy", (2, 2), 0.55),
        ("b", "policy", (1, 0), 0.5),
    ]
    with pytest.raises(Invalid, match="buckets"), database.write() as write:
        receipts.add_propagation(write, "engine-1", "a", "policy", counts=[1], sum_s=0.0)
