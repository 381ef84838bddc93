"""What every event log promises, member by member."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import Unavailable
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.protocol import Draft, EventLog
from storage.records.events import Entry

Open = Callable[..., EventLog]


def embedded(folder: Path) -> Open:
    def reopen(**options: Any) -> EventLog:
        return EmbeddedLog(folder / "log.db", **({"log_id": uuid4().hex} | options))

    return reopen


MEMBERS = {"embedded": embedded}


@pytest.fixture(params=sorted(MEMBERS))
def member(request: pytest.FixtureRequest) -> Callable[[Path], Open]:
    """Give a function from a folder to a function that opens the log in it, again and again."""
    return MEMBERS[request.param]


@pytest.fixture
def reopen(member: Callable[[Path], Open], tmp_path: Path) -> Open:
    return member(tmp_path)


def draft(key: str | None = None, *, at: int = 0, payload: bytes = b"x") -> Draft:
    return Draft(kind="event", at=at, payload=payload, key=key)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]  # a coroutine is what an async function gives


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


def test_trimming_leaves_no_holes_keeps_the_highest_and_remembers_keys(reopen: Open) -> None:
    async def scenario() -> None:
        log = reopen()
        await log.append([draft(f"k{at}", at=at) for at in (10, 20, 15, 30, 40)])
        assert await asyncio.to_thread(lambda: log.trim(before=25)) == 3
        assert [entry.at for entry in log.read(0, 10)] == [30, 40]
        assert await log.append([draft("k10"), draft("k40"), draft("new", at=5)]) == [None, None, 6]
        assert log.find("k10") is None
        assert await asyncio.to_thread(lambda: log.trim(before=10**9)) == 2
        assert [entry.seq for entry in log.read(0, 10)] == [6]
        await log.close()
        log = reopen()
        assert log.head() == 6
        assert await log.append([draft()]) == [7]
        await log.close()

    run(scenario)


def test_keys_are_forgotten_after_a_week_and_not_before(reopen: Open) -> None:
    clock = [0]
    day = 86_400_000_000

    async def scenario() -> None:
        log = reopen(now=lambda: clock[0])
        await log.append([draft("old", at=0), draft("kept", at=10 * day)])
        clock[0] = 7 * day
        await asyncio.to_thread(lambda: log.trim(before=day))
        assert await log.append([draft("old")]) == [None]
        clock[0] = 7 * day + 1
        await asyncio.to_thread(lambda: log.trim(before=day))
        assert await log.append([draft("old"), draft("kept")]) == [3, None]
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


@dataclass
class Model:
    """The log as it should be."""

    entries: list[tuple[int, int]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    head: int = 0

    def take(self, at: int, key: str | None) -> int | None:
        if key is not None and key in self.keys:
            return None
        if key is not None:
            self.keys.add(key)
        self.head += 1
        self.entries.append((self.head, at))
        return self.head

    def trim(self, before: int) -> int:
        size = len(self.entries)
        while len(self.entries) > 1 and self.entries[0][1] < before:
            self.entries.pop(0)
        return size - len(self.entries)


_drafts = st.lists(st.tuples(st.integers(0, 20), st.none() | st.sampled_from("abcdefgh")), max_size=6)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _drafts),
        st.tuples(st.just("offer"), _drafts),
        st.tuples(st.just("trim"), st.integers(0, 22)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(steps=_steps)
def test_any_history_matches_the_model(
    member: Callable[[Path], Open], tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    reopen = member(tmp_path_factory.mktemp("log"))

    async def scenario() -> None:
        model, log = Model(), reopen(linger_s=0.0)
        for step, argument in steps:
            if step == "append":
                numbers = await log.append([draft(key, at=at) for at, key in argument])
                assert numbers == [model.take(at, key) for at, key in argument]
            elif step == "offer":
                for at, key in argument:
                    log.offer(draft(key, at=at))
                    model.take(at, key)
            elif step == "trim":
                await log.append([draft("flush")])
                model.take(0, "flush")
                assert await asyncio.to_thread(partial(log.trim, before=argument)) == model.trim(argument)
            else:
                await log.close()
                log = reopen(linger_s=0.0)
                assert log.head() == model.head
        await log.close()
        log = reopen()
        assert [(entry.seq, entry.at) for entry in log.read(0, 1_000)] == model.entries
        assert log.head() == model.head
        await log.close()

    run(scenario)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    import threading

    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("log ")]
    assert left == []


def test_what_is_erased_leaves_its_number_and_its_time_and_nothing_else(reopen: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        log = reopen(linger_s=0.2)
        mine, others = b"secret-of-anna" * 400, b"secret-of-bert" * 400
        await log.append([draft(f"k-{n}", at=n, payload=(mine, others)[n % 2]) for n in range(40)])
        log.offer(draft("offered", at=99, payload=b"secret-of-anna once more"))
        erased = await asyncio.to_thread(log.erase, [b"of-anna", b"of-bert"], lambda entry: b"anna" in entry.payload)
        assert [entry.seq for entry in erased] == [*range(1, 41, 2), 41]
        assert erased[0].payload == mine and erased[-1].at == 99
        entries = log.read(0, 100)
        assert [entry.seq for entry in entries] == list(range(1, 42))
        assert {entry.kind for entry in entries[::2]} == {"erased"} and {entry.payload for entry in entries[::2]} == {
            b""
        }
        assert [entry.at for entry in entries] == [*range(40), 99]
        assert {entry.payload for entry in entries[1::2]} == {others}
        assert log.find("k-0") is None and log.find("k-1") is not None and log.find("offered") is None
        assert await asyncio.to_thread(log.erase, [b"of-anna"], lambda _: True) == []
        assert await log.append([draft("k-0")]) == [42]
        held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"of-anna" not in held and b"of-bert" in held
        await log.close()

    run(scenario)
