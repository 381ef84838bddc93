"""The embedded log when things go wrong: kill -9, a full disk, two processes, a damaged file, senders that go away."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.errors import Conflict, Full, Unavailable
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.logfile import LogFile
from storage.eventlog.protocol import Draft

WRITER = """
import asyncio, sys
from pathlib import Path
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.protocol import Draft

async def main():
    log = EmbeddedLog(Path(sys.argv[1]), log_id="l")
    async def sender(name):
        i = 0
        while True:
            keys = [f"{sys.argv[2]}-{name}-{i}-{k}" for k in range(5)]
            numbers = await log.append([Draft(kind="event", at=i, payload=key.encode(), key=key) for key in keys])
            print(*(f"{key}={number}" for key, number in zip(keys, numbers)), flush=True)
            log.offer(Draft(kind="decision", at=i, payload=b"d"))
            i += 1
    await asyncio.gather(*(sender(name) for name in range(4)))

asyncio.run(main())
"""


def draft(key: str | None = None, *, at: int = 0, payload: bytes = b"x") -> Draft:
    return Draft(kind="event", at=at, payload=payload, key=key)


@pytest.mark.e2e
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """R1 at the log: killed at random moments, all that was answered is there, under the number that was answered."""
    path, rng = tmp_path / "log.db", random.Random(9)
    acknowledged: dict[str, int] = {}
    for kill in range(8):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(kill)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(rng.randint(1, 120))]
        finally:
            process.kill()
        rest, _ = process.communicate()
        for line in b"".join([*lines, rest]).decode().splitlines(keepends=True):
            if line.endswith("\n"):
                acknowledged |= {key: int(number) for key, number in (pair.split("=") for pair in line.split())}
        assert process.returncode == -signal.SIGKILL

    async def check() -> None:
        log = EmbeddedLog(path, log_id="l")
        entries = {entry.seq: entry for entry in log.read(0, 10**6)}
        assert sorted(entries) == list(range(1, log.head() + 1))
        for key, number in acknowledged.items():
            assert entries[number].payload == key.encode()
        sample = list(acknowledged)[:: max(1, len(acknowledged) // 50)]
        assert await log.append([draft(key) for key in sample]) == [None] * len(sample)
        await log.close()

    assert acknowledged
    asyncio.run(check())


def test_a_full_disk_refuses_all_of_it_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "log.db"

    async def scenario() -> None:
        log = EmbeddedLog(path, log_id="l", max_bytes=200_000)
        written = 0
        with pytest.raises(Full):
            for i in range(100):
                written += len(await log.append([draft(f"{i}-{k}", at=i, payload=b"x" * 1_000) for k in range(10)]))
        assert log.head() == written
        assert len(log.read(0, 10_000)) == written
        log.offer(draft("waits", at=100, payload=b"x" * 50_000))
        with pytest.raises(Full):
            await log.append([draft("also refused", payload=b"x" * 1_000)])
        assert log.backlog() == 1
        assert log.find("waits") is not None
        assert log.find("also refused") is None
        assert await asyncio.to_thread(lambda: log.trim(before=10**6)) == written - 1
        assert await log.append([draft("after")]) == [written + 2]
        assert log.backlog() == 0
        await log.close()

    asyncio.run(scenario())


def test_closing_on_a_full_disk_says_what_was_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = EmbeddedLog(tmp_path / "log.db", log_id="l", max_bytes=60_000)
        log.offer(draft("big", payload=b"x" * 100_000))
        senders = [asyncio.create_task(log.append([draft()] * 3_000)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(Full, match="1 entries"):
            await log.close()
        assert {type(answer) for answer in await asyncio.gather(*senders, return_exceptions=True)} == {Full}

    asyncio.run(scenario())


def test_only_one_process_has_a_log_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = EmbeddedLog(tmp_path / "log.db", log_id="l")
        with pytest.raises(Conflict):
            EmbeddedLog(tmp_path / "log.db", log_id="l")
        await log.close()
        await EmbeddedLog(tmp_path / "log.db", log_id="l").close()

    asyncio.run(scenario())


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is no database" * 1_000)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"log\.db"):
            EmbeddedLog(path, log_id="l")


def test_a_log_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(Unavailable, match="another version"):
        EmbeddedLog(path, log_id="l")


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"log\.db"):
        EmbeddedLog(tmp_path / "file" / "log.db", log_id="l")


def test_a_draft_that_no_file_could_hold_is_refused_at_the_door(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = EmbeddedLog(tmp_path / "log.db", log_id="l")
        with pytest.raises(ValueError, match="64 bits"):
            log.offer(draft(at=2**63))
        with pytest.raises(ValueError, match="64 bits"):
            await log.append([draft(), draft(at=-(2**63) - 1)])
        assert await log.append([draft()]) == [1]
        await log.close()

    asyncio.run(scenario())


def test_a_sender_that_goes_away_harms_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = EmbeddedLog(tmp_path / "log.db", log_id="l")
        tasks = [asyncio.create_task(log.append([draft(f"gone-{i}")])) for i in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [answer for answer in answers[1::2] if not isinstance(answer, list)] == []
        assert await log.append([draft("still here")]) == [log.head()]
        await log.close()

    asyncio.run(scenario())


def test_a_sender_whose_loop_is_gone_harms_nobody(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "log.db", log_id="l")

    async def leave() -> None:
        asyncio.get_running_loop().create_task(log.append([draft("left")]))
        await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(leave(),))
    thread.start()
    thread.join()

    async def scenario() -> None:
        await log.append([draft("next")])
        await log.close()

    asyncio.run(scenario())


def test_a_bug_in_the_writer_lets_nobody_wait_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_self: LogFile, _drafts: object) -> None:
        raise RuntimeError("a bug")

    async def scenario() -> None:
        log = EmbeddedLog(tmp_path / "log.db", log_id="l")
        assert await log.append([draft("kept")]) == [1]
        monkeypatch.setattr(LogFile, "write", bug)
        log.offer(draft("offered"))
        for _ in range(2):
            with pytest.raises(Unavailable):
                await log.append([draft()])
        with pytest.raises(Unavailable):
            log.offer(draft())
        with pytest.raises(Unavailable, match="1 entries"):
            await log.close()
        monkeypatch.undo()
        log = EmbeddedLog(tmp_path / "log.db", log_id="l")
        assert log.head() == 1
        await log.close()

    asyncio.run(scenario())
    assert "a bug" in caplog.text


def test_the_file_is_for_its_owner_only_and_flushes_every_commit(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log.db"

    async def scenario() -> None:
        log = EmbeddedLog(path, log_id="l")
        assert log._file._writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert log._file._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        await log.close()

    asyncio.run(scenario())
    assert path.stat().st_mode & 0o777 == 0o600
