"""Opt-outs, opt-ins and decisions interleaved on four engines: once an opt-out is acknowledged, it holds.

``FAIRLEAD_TEST_RACE_OPERATIONS`` sets how many calls are made (100,000 in the published figure).
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from pathlib import Path

import orjson
import pytest

from benchmarks.installation import Bench, engine, prepare, process, wait_ready
from benchmarks.load import Connection, connect, post
from storage.keys import read_token
from tests.chaos.history import Operation, check

REPLICAS, IN_FLIGHT, SUBJECTS = 4, 64, 300
OPERATIONS = int(os.environ.get("FAIRLEAD_TEST_RACE_OPERATIONS", "6000"))
CONSENT_SHARE = 0.06


@pytest.fixture
def fleet(tmp_path: Path):
    with contextlib.ExitStack() as stack:
        bench = prepare(tmp_path, replicas=REPLICAS)
        for replica in range(REPLICAS):
            stack.enter_context(engine(bench, replica=replica, core=None))
        settings = bench.settings
        control = [sys.executable, "-m", "fairlead", "control"]
        child = stack.enter_context(process(control, {**os.environ, **settings.environ}, core=None))
        wait_ready(f"http://127.0.0.1:{settings.control_port}/healthz", child)
        yield bench


class Worker:
    """One caller: it opts people out and in, and asks any engine for decisions."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.rng = bench, random.Random(seed)
        self.admin = read_token(bench.settings.home, "admin") or ""
        self.connections: dict[int, Connection] = {}
        self.history: list[Operation] = []

    async def send(self, port: int, request: bytes) -> tuple[int, bytes]:
        """Send over the port's connection; a server may hang up on an idle one, and every call here may be repeated."""
        for _ in range(5):
            connection = self.connections.get(port)
            if connection is None or connection.closed:
                connection = self.connections[port] = await connect(port)
            with contextlib.suppress(ConnectionError):
                return await asyncio.wait_for(connection.send(request), 30)
        raise ConnectionError(f"port {port} hung up five times")

    async def consent(self, kind: str, subject: str) -> None:
        body = {"subject": subject, "purpose": "personalization", "reason": "a race between consent and decisions"}
        start = time.monotonic()
        path = f"/control/v1/consents/{kind.replace('_', '-')}"
        status, answer = await self.send(self.bench.settings.control_port, post(path, orjson.dumps(body), self.admin))
        assert status in {200, 503}, (status, answer[:300])
        self.history.append(
            Operation(kind=kind, subject=subject, start=start, end=time.monotonic(), acknowledged=status == 200)
        )

    async def decide(self, subject: str) -> None:
        body = {"subject": subject, "surface": "home", "campaign": "bench", "slots": 2, "context": {}}
        body["candidates"] = ["item-1", "item-2", "item-3"]
        start = time.monotonic()
        port = self.bench.settings.engine_port + self.rng.randrange(REPLICAS)
        status, answer = await self.send(port, post("/v1/personalize", orjson.dumps(body), self.bench.token))
        assert status == 200, (status, answer[:300])
        personalized = orjson.loads(answer)["served_by"] != "default"
        end = time.monotonic()
        self.history.append(Operation(kind="decide", subject=subject, start=start, end=end, personalized=personalized))

    async def work(self, operations: int) -> None:
        while len(self.history) < operations:
            subject = f"race-{self.rng.randrange(SUBJECTS)}"
            draw = self.rng.random()
            if draw < CONSENT_SHARE / 2:
                await self.consent("opt_out", subject)
                for _ in range(REPLICAS):
                    await self.decide(subject)
            elif draw < CONSENT_SHARE:
                await self.consent("opt_in", subject)
            else:
                await self.decide(subject)


async def race(bench: Bench, seed: int) -> list[Operation]:
    workers = [Worker(bench, seed + number) for number in range(IN_FLIGHT)]
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.work(-(-OPERATIONS // IN_FLIGHT)))
    for worker in workers:
        for connection in worker.connections.values():
            connection.close()
    return [operation for worker in workers for operation in worker.history]


@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_no_decision_is_personalized_after_an_acknowledged_opt_out(fleet: Bench):
    seed = 20_261_120
    history = asyncio.run(race(fleet, seed))
    report = check(history)
    print(f"seed {seed}: {report.operations} operations, {report.opt_outs} opt-outs, {report.bound} decisions bound,")
    refused = sum(not operation.acknowledged for operation in history)
    print(
        f"{report.near} of them within a second, {len(report.violations)} violations, {refused} consent calls refused"
    )
    assert report.operations >= OPERATIONS
    assert refused <= 0.05 * report.opt_outs, f"{refused} consent calls were answered 503: SQLite had too many writers"
    assert any(operation.personalized for operation in history), "nobody was personalized: the race proves nothing"
    assert report.near > report.opt_outs / 2, "too few decisions were made soon after an opt-out"
    assert report.violations == ()
