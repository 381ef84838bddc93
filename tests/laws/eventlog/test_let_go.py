"""What every event log promises of what it lets go of: trimmed, forgotten or erased."""

import asyncio
from pathlib import Path

from tests.laws.eventlog.logs import Open, draft, run


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
