"""The consent record: epochs without holes, seen in commit order, on both databases."""

import random
import threading
import time
from typing import Any

import pytest

from storage import consent
from storage.database import Database, Write
from storage.errors import Invalid
from storage.records.consent import ConsentChange, ConsentState, Purpose


def say(write: Write, subject: str, state: ConsentState = "denied", **changed: Any) -> ConsentChange:
    fields: dict[str, Any] = {
        "purpose": Purpose.PERSONALIZATION,
        "reason": "asked by the subject",
        "source": "api",
        "actor": "ada",
        "at": 1,
    }
    return consent.append(write, subject=subject, state=state, **(fields | changed))


def test_changes_are_numbered_and_come_back_as_they_went_in(database: Database) -> None:
    with database.read() as read:
        assert (consent.epoch(read), consent.after(read, 0, 10), consent.summary(read)) == (0, [], {})
    with database.write() as write:
        first = say(write, "s1", text_version="v3", at=7)
        second = say(write, "s2", "granted", purpose=Purpose.EMAIL)
    with database.write() as write:
        third = say(write, "s1", "granted")
    assert (first.epoch, second.epoch, third.epoch) == (1, 2, 3)
    with database.read() as read:
        assert consent.after(read, 0, 10) == [first, second, third]
        assert consent.after(read, 1, 1) == [second]
        assert consent.history(read, "s1") == [first, third]
        assert consent.history(read, "nobody") == []
        assert consent.epoch(read) == 3


def test_the_summary_counts_what_each_subject_said_last(database: Database) -> None:
    with database.write() as write:
        for subject, states in {"a": ["denied", "granted"], "b": ["denied"], "c": ["granted", "denied"]}.items():
            for state in states:
                say(write, subject, state)  # type: ignore[arg-type]  # the two states, from a table
        say(write, "a", "granted", purpose=Purpose.EMAIL)
    with database.read() as read:
        assert consent.summary(read) == {"email": {"granted": 1}, "personalization": {"denied": 2, "granted": 1}}


@pytest.mark.parametrize("wrong", [{"state": "maybe"}, {"purpose": "everything"}])
def test_unknown_words_are_refused_and_use_no_number(database: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))), database.write() as write:
        say(write, "s", **({"state": "denied"} | wrong))
    with database.write() as write:
        assert say(write, "s").epoch == 1


def test_a_change_that_was_rolled_back_leaves_no_hole(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as write:
        say(write, "s")
        raise RuntimeError
    with database.write() as write:
        assert say(write, "s").epoch == 1


def test_epochs_appear_in_commit_order(database: Database) -> None:
    """Whoever has read up to epoch n will never find a new row at or below n."""
    writers, each = 4, 30
    done = threading.Event()
    errors: list[BaseException] = []

    def writer(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for i in range(each):
                with database.write() as write:
                    say(write, f"{seed}-{i}")
                    time.sleep(rng.random() * 0.003)
        except BaseException as error:
            errors.append(error)

    def reader() -> list[int]:
        seen: list[int] = []
        last_round = False
        while True:
            with database.read() as read:
                high = consent.epoch(read)
                rows = consent.after(read, seen[-1] if seen else 0, 7)
            seen += [row.epoch for row in rows]
            assert seen == list(range(1, len(seen) + 1)), "an epoch appeared below one that was read before"
            assert len(rows) == 7 or len(seen) >= high, "the epoch was announced before its row could be read"
            if last_round and len(rows) < 7:
                return seen
            last_round = done.is_set()
            time.sleep(0.002)

    def read_all() -> None:
        try:
            assert len(reader()) == writers * each
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read_all) for _ in range(2)]
    threads = [threading.Thread(target=writer, args=(seed,)) for seed in range(writers)]
    for thread in readers + threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert errors == []
