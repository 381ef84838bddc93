"""The ledger: entries come back as they went in, in one chain that verifies, on both databases."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import ledger
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Unavailable
from storage.keys import Keys
from storage.records.consent import Purpose

from .chained import SIZE, Undo, add


def test_a_whole_ledger_verifies(filled: Database, keys: Keys, anchors: Anchors) -> None:
    with filled.read() as read:
        assert ledger.verify(read, keys=keys, anchors=anchors) == ledger.Verification(
            ok=True, entries=SIZE, first_bad=None, anchored_to=8, reason="whole"
        )


def test_an_empty_ledger_verifies(database: Database, keys: Keys, anchors: Anchors) -> None:
    with database.read() as read:
        assert anchors.anchor(read, 0) is None
        found = ledger.verify(read, keys=keys, anchors=anchors)
    assert (found.ok, found.entries, found.anchored_to) == (True, 0, 0)


def test_a_broken_chain_is_not_continued(filled: Database, keys: Keys) -> None:
    with pytest.raises(Unavailable, match="lacks entry 12"), filled.write() as write:
        write.execute(text("DELETE FROM ledger WHERE seq = 12"))
        add(write, keys, 13)


def test_an_entry_comes_back_as_it_went_in(database: Database, keys: Keys) -> None:
    with database.write() as write:
        first = add(write, keys, 1, result="denied", four_eyes=False, revision=7, request_id="r-1")
        second = add(write, keys, 2, before=None, after=["é", 1.5, None, True])
    with database.read() as read:
        assert ledger.entries(read) == [second, first]
    assert (first.seq, first.previous, second.previous) == (1, ledger.GENESIS, first.hash)
    assert (first.result, first.four_eyes, first.revision, first.request_id) == ("denied", False, 7, "r-1")
    assert second.after == ["é", 1.5, None, True]


def test_entries_are_filtered_and_paged(filled: Database) -> None:
    with filled.read() as read:
        assert [e.seq for e in ledger.entries(read, limit=3)] == [12, 11, 10]
        assert [e.seq for e in ledger.entries(read, limit=3, before_seq=10)] == [9, 8, 7]
        assert [e.seq for e in ledger.entries(read, actor="user-1", action="campaign.pause")] == [7, 1]
        assert [e.seq for e in ledger.entries(read, object_kind="policy", object_key="key-5")] == [5]
        assert [e.seq for e in ledger.entries(read, start=1_003, end=1_005)] == [4, 3]
        assert ledger.entries(read, result="denied") == []
        assert ledger.entries(read, actor="'; DROP TABLE ledger; --") == []


def test_a_change_and_its_entry_stand_or_fall_together(filled: Database, keys: Keys, anchors: Anchors) -> None:
    with contextlib.suppress(Undo), filled.write() as write:
        add(write, keys, 13)
        raise Undo
    with filled.write() as write:
        assert add(write, keys, 13).seq == 13
    with filled.read() as read:
        assert ledger.verify(read, keys=keys, anchors=anchors).entries == 13


def test_writers_at_once_make_one_chain(database: Database, keys: Keys, anchors: Anchors) -> None:
    def writer() -> None:
        for number in range(10):
            with database.write() as write:
                add(write, keys, number)
                add(write, keys, number)

    with _threads(writer, 4):
        pass
    with database.read() as read:
        found = ledger.verify(read, keys=keys, anchors=anchors)
    assert (found.ok, found.entries) == (True, 80)


def test_a_commitment_is_keyed_and_stable(keys: Keys, tmp_path: Path) -> None:
    other = Keys.open(tmp_path / "other")
    assert ledger.commitment(keys, {"b": 1, "a": Purpose.EMAIL}) == ledger.commitment(keys, {"a": "email", "b": 1})
    assert ledger.commitment(keys, "p") != ledger.commitment(other, "p")
    assert "secret" not in ledger.commitment(keys, "secret")


@contextlib.contextmanager
def _threads(target: Callable[[], None], count: int) -> Iterator[None]:
    """Run ``target`` in threads beside the block, then raise what any of them raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            target()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
    assert errors == []
