"""The engine as a process: killed under load, stopped in order, and unable to start."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.eventlog.embedded import EmbeddedLog
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.events import Event
from tests.scoring_core.edges.running import Installed

MAIN = """
import sys
from pathlib import Path
from scoring_core.edges.engine import EngineConfig, run
home, port = sys.argv[1:]
sys.exit(run(EngineConfig(home=Path(home), port=int(port), window_s=0.2, poll_s=0.05)))
"""
KILLS = int(os.environ.get("FAIRLEAD_TEST_KILLS", "3"))
"""Twenty by the book; three keep the suite short."""
RATE = 500
"""Events per second, whatever happens to the engine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def started(home: Path, port: int, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, str(home), str(port)], cwd=Path(__file__).parents[3], **options
    )


def ready(port: int, child: subprocess.Popen[bytes], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert child.poll() is None, "the engine ended"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready in {seconds:g} s")


class Sender:
    """Sends events and asks for decisions at a rate, remembers what was acknowledged, and sends the rest again."""

    def __init__(self, port: int, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"authorization": f"Bearer {token}"}
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.decisions: list[str] = []
        self.failures = 0
        self.running = True

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=2.0) as client:
            waiting: list[str] = []
            number, begun = 0, time.monotonic()
            while self.running:
                due = int((time.monotonic() - begun) * RATE)
                waiting += [f"e-{each}" for each in range(number, due)]
                number = max(number, due)
                batch = waiting[:200]
                body = [{"type": "click", "event_id": each, "item": "item-1", "subject": "u-1"} for each in batch]
                self.sent.update(batch)
                try:
                    answer = await client.post("/v1/events", json=body)
                    if answer.status_code == 202:
                        self.acknowledged.update(batch)
                        waiting = waiting[len(batch) :]
                    decided = await client.post("/v1/personalize", json={"surface": "home", "subject": "u-1"})
                    if decided.status_code == 200:
                        self.decisions.append(decided.json()["decision_id"])
                except httpx.TransportError:
                    self.failures += 1
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.02)


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_killed_under_load_no_acknowledged_event_is_lost(installed: Installed) -> None:
    port = free_port()
    sender = Sender(port, installed.token("decide", "events:write"))

    async def scenario() -> None:
        sending = None
        for round_ in range(KILLS):
            child = started(installed.home, port)
            try:
                await asyncio.to_thread(ready, port, child)
                sending = sending or asyncio.create_task(sender.run())
                await asyncio.sleep(0.7 + 0.37 * (round_ % 3))
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
        child = started(installed.home, port)
        await asyncio.to_thread(ready, port, child)
        await asyncio.sleep(1.0)
        sender.running = False
        assert sending is not None
        await sending
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 20) == 0

    asyncio.run(scenario())
    log = EmbeddedLog(installed.home / "logs" / "engine-0.db", log_id="reader")
    entries = log.read(0, 1_000_000)
    asyncio.run(log.close())
    stored = [wire.decode(Event, entry.payload).event_id for entry in entries if entry.kind == "event"]
    assert len(sender.acknowledged) > 200 * KILLS
    assert sender.acknowledged <= set(stored)
    assert set(stored) <= sender.sent
    assert len(stored) == len(set(stored))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.e2e
def test_a_graceful_stop_loses_neither_records_nor_windows(installed: Installed) -> None:
    port = free_port()
    sender = Sender(port, installed.token("decide", "events:write"))
    child = started(installed.home, port)

    async def scenario() -> None:
        await asyncio.to_thread(ready, port, child)
        sending = asyncio.create_task(sender.run())
        await asyncio.sleep(1.5)
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 20) == 0
        sender.running = False
        await sending

    asyncio.run(scenario())
    log = EmbeddedLog(installed.home / "logs" / "engine-0.db", log_id="reader")
    entries = log.read(0, 1_000_000)
    asyncio.run(log.close())
    recorded = {wire.decode(Decision, entry.payload).decision_id for entry in entries if entry.kind == "decision"}
    stored = {wire.decode(Event, entry.payload).event_id for entry in entries if entry.kind == "event"}
    assert len(sender.decisions) > 10
    assert set(sender.decisions) <= recorded
    assert sender.acknowledged <= stored
    from storage.records.metrics import Window

    windows = wire.decode(list[Window], (installed.home / "windows" / "engine-0.msgpack").read_bytes())
    counted = sum(
        counter.value
        for window in windows
        for counter in window.counters
        if counter.name == "fairlead_decision_requests_total"
    )
    assert counted == len(recorded)


@pytest.mark.e2e
def test_what_keeps_an_engine_from_starting_is_said(installed: Installed, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        child = started(installed.home, taken.getsockname()[1], stderr=subprocess.PIPE)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 6
    assert b"cannot listen" in said
    assert b"FAIRLEAD_ENGINE_PORT" in said
    assert b"Traceback" not in said
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    child = started(blocked, free_port(), stderr=subprocess.PIPE)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 6
    assert b"cannot start" in said
    assert b"Traceback" not in said
