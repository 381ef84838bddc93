"""What every event log promises of what is written: numbered without holes, found, read in pages, once each."""

import asyncio
import random

import pytest

from storage.errors import Unavailable
from storage.eventlog.protocol import Draft
from storage.records.events import Entry
from tests.laws.eventlog.logs import Open, draft, run


def test_numbers_start_at_one_and_have_no_holes_across_restarts(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        assert log.head() == 0
        assert await log.append([draft("a"), draft(), draft("b")]) == [1, 2, 3]
        assert await log.append([]) == []
        await log.close()
        log = reopen()
        assert log.head() == 3
        assert await log.append([draft()]) == [4]
        assert [entry.seq for entry in log.read(0, 10)] == [1, 2, 3, 4]
        await log.close()

    run(scenario)


def test_what_comes_out_is_what_went_in(reopen: Open) -> None:
    drafts = [
        Draft(kind="event", at=-5, payload=b""),
        Draft(kind="decision", at=2**62, payload=bytes(range(256)) * 40, key="k" * 500),
        Draft(kind="epoch", at=0, payload=b"\x00", key=""),
        Draft(kind="dead_letter", at=1, payload=b"\xff", key="\ud800 lone surrogate"),
    ]

    async def scenario() -> None:
        log = reopen()
        await log.append(drafts)
        entries = log.read(0, 10)
        assert [(e.kind, e.at, e.payload) for e in entries] == [(d.kind, d.at, d.payload) for d in drafts]
        assert [log.find(d.key) for d in drafts if d.key is not None] == entries[1:]
        assert log.find("unknown") is None
        await log.close()

    run(scenario)


def test_reading_pages_on(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        await log.append([draft(payload=str(i).encode()) for i in range(2_500)])
        seen: list[Entry] = []
        while page := log.read(seen[-1].seq if seen else 0, 700):
            assert len(page) <= 700
            seen += page
        assert [entry.payload for entry in seen] == [str(i).encode() for i in range(2_500)]
        assert log.read(2_500, 10) == []
        await log.close()

    run(scenario)


def test_an_offered_draft_is_found_at_once_and_written_before_closing(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        log.offer(draft("d", payload=b"decision"))
        found = log.find("d")
        assert found is not None
        assert found.payload == b"decision"
        await log.close()
        log = reopen()
        assert log.find("d") == Entry(seq=1, kind="event", at=0, payload=b"decision")
        assert log.backlog() == 0
        await log.close()

    run(scenario)


def test_an_offer_before_an_append_is_written_before_it(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        log.offer(draft("first"))
        assert await log.append([draft("second"), draft("first")]) == [2, None]
        assert log.backlog() == 0
        await log.close()

    run(scenario)


def test_a_full_backlog_refuses_and_takes_again_later(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen(max_backlog=3, linger_s=3600.0)
        for key in "abc":
            log.offer(draft(key))
        assert log.backlog() == 3
        with pytest.raises(Unavailable):
            log.offer(draft("d"))
        await log.append([draft("e")])
        log.offer(draft("f"))
        await log.close()
        log = reopen()
        assert [bool(log.find(key)) for key in "abcdef"] == [True, True, True, False, True, True]
        await log.close()

    run(scenario)


def test_a_closed_log_refuses(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        await log.close()
        await log.close()
        with pytest.raises(Unavailable):
            await log.append([draft()])
        with pytest.raises(Unavailable):
            log.offer(draft())

    run(scenario)


def test_many_senders_each_get_their_own_numbers_in_their_own_order(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()

        async def sender(name: int) -> list[int | None]:
            numbers: list[int | None] = []
            for i in range(20):
                numbers += await log.append([draft(f"{name}-{i}-{k}", payload=b"%d" % name) for k in range(3)])
            return numbers

        answers = await asyncio.gather(*(sender(name) for name in range(10)))
        assert all(numbers == sorted(numbers, key=int) for numbers in answers)  # type: ignore[arg-type]  # none is None
        assert sorted(n for numbers in answers for n in numbers if n) == list(range(1, 601))
        for name, numbers in enumerate(answers):
            for n in numbers:
                assert n is not None
                assert log.read(n - 1, 1)[0].payload == b"%d" % name
        await log.close()

    run(scenario)


def test_offers_from_threads_all_arrive(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()

        def offer(name: int) -> None:
            for i in range(200):
                log.offer(draft(f"{name}-{i}"))

        await asyncio.gather(*(asyncio.to_thread(offer, name) for name in range(4)))
        await log.close()
        log = reopen()
        assert log.head() == 800
        await log.close()

    run(scenario)


def test_each_event_counts_once_however_often_it_is_sent(reopen: Open) -> None:
    """R21: sent one to five times, in any order, across restarts."""
    rng = random.Random(21)
    sends = [f"event-{i}" for i in range(400) for _ in range(rng.randint(1, 5))]
    rng.shuffle(sends)

    async def scenario() -> None:
        accepted: list[str] = []
        for start in range(0, len(sends), 150):
            log = reopen()
            part = sends[start : start + 150]
            for cut in range(0, len(part), 40):
                batch = part[cut : cut + 40]
                numbers = await log.append([draft(key) for key in batch])
                accepted += [key for key, n in zip(batch, numbers, strict=True) if n is not None]
            await log.close()
        log = reopen()
        assert sorted(accepted) == sorted(set(sends))
        assert log.head() == len(set(sends))
        await log.close()

    run(scenario)


def test_a_log_keeps_the_name_that_it_was_made_with(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen(log_id="born")
        await log.close()
        log = reopen(log_id="other")
        assert log.log_id == "born"
        await log.close()

    run(scenario)
