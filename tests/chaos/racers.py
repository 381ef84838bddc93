"""Callers who opt people in and out and ask any of several engines for decisions, and write down every call."""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from benchmarks.installation import Bench, engine, process, wait_ready
from benchmarks.load import Connection, connect, post
from storage.keys import read_token
from tests.chaos.history import Operation

REPLICAS, IN_FLIGHT, SUBJECTS = 4, 64, 300
OPERATIONS = int(os.environ.get("FAIRLEAD_TEST_RACE_OPERATIONS", "4000"))
CONSENT_SHARE = 0.06
REASON = "a race between consent and decisions"


@contextlib.contextmanager
def control(bench: Bench) -> Iterator[None]:
    """Run the control process until the block ends."""
    settings = bench.settings
    command = [sys.executable, "-m", "fairlead", "control"]
    with process(command, {**os.environ, **settings.environ}, core=None) as child:
        wait_ready(f"http://127.0.0.1:{settings.control_port}/healthz", child)
        yield


@contextlib.contextmanager
def fleet(bench: Bench) -> Iterator[None]:
    """Run the engines and control until the block ends."""
    with contextlib.ExitStack() as stack:
        for replica in range(REPLICAS):
            stack.enter_context(engine(bench, replica=replica, core=None))
        stack.enter_context(control(bench))
        yield


@dataclass
class Worker:
    """One caller. ``unanswered`` counts the decisions that nobody answered, however often they were asked for."""

    bench: Bench
    rng: random.Random
    history: list[Operation] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    connections: dict[int, Connection] = field(default_factory=dict)
    unanswered: int = 0

    def __post_init__(self) -> None:
        self.admin = read_token(self.bench.settings.home, "admin") or ""

    async def send(self, port: int, request: bytes) -> tuple[int, bytes] | None:
        """Send over the port's connection; None where the peer hung up or never answered."""
        try:
            connection = self.connections.get(port)
            if connection is None or connection.closed:
                connection = self.connections[port] = await asyncio.wait_for(connect(port), 5)
            return await asyncio.wait_for(connection.send(request), 30)
        except (OSError, TimeoutError):
            if connection := self.connections.pop(port, None):
                connection.close()
            return None

    async def consent(self, kind: str, subject: str) -> None:
        """Say no or yes to personalization; not repeated, for nobody knows what became of a call without an answer."""
        body = {"subject": subject, "purpose": "personalization", "reason": REASON}
        start = time.monotonic()
        path = f"/control/v1/consents/{kind.replace('_', '-')}"
        answer = await self.send(self.bench.settings.control_port, post(path, orjson.dumps(body), self.admin))
        cut_off = answer is None or answer == (500, b"Internal Server Error")  # the server's own word as it stops
        status = 503 if cut_off or answer is None else answer[0]
        assert status in {200, 503}, answer
        end = time.monotonic()
        if status == 200:
            self.waits.append(end - start)
        self.history.append(
            Operation(kind=kind, subject=subject, start=start, end=end, acknowledged=status == 200)  # type: ignore[arg-type]  # one of the two
        )

    async def decide(self, subject: str) -> None:
        """Ask some engine; one that is not there is passed by, as a load balancer would."""
        body = {"subject": subject, "surface": "home", "campaign": "bench", "slots": 2, "context": {}}
        body["candidates"] = ["item-1", "item-2", "item-3"]
        for _ in range(3 * REPLICAS):
            port = self.bench.settings.engine_port + self.rng.randrange(REPLICAS)
            start = time.monotonic()
            answer = await self.send(port, post("/v1/personalize", orjson.dumps(body), self.bench.token))
            if answer is None or answer[0] in {401, 503}:  # not there, or just there and without its tokens yet
                continue
            assert answer[0] == 200, answer
            personalized = orjson.loads(answer[1])["served_by"] != "default"
            end = time.monotonic()
            self.history.append(
                Operation(kind="decide", subject=subject, start=start, end=end, personalized=personalized)
            )
            return
        self.unanswered += 1

    async def work(self, operations: int) -> None:
        """Make so many calls."""
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


@dataclass(frozen=True, kw_only=True)
class Race:
    """What was called, and how long each acknowledgement took in seconds."""

    history: list[Operation]
    waits: list[float]
    unanswered: int


async def race(bench: Bench, seed: int, trouble: Callable[[], None] | None = None) -> Race:
    """Let everyone call at once; ``trouble`` is made meanwhile, again and again, on a thread of its own."""
    workers = [Worker(bench, random.Random(seed + number)) for number in range(IN_FLIGHT)]
    over = asyncio.Event()

    async def troubled() -> None:
        while trouble is not None and not over.is_set():
            await asyncio.to_thread(trouble)

    async with asyncio.TaskGroup() as group:
        group.create_task(troubled())
        async with asyncio.TaskGroup() as calling:
            for worker in workers:
                calling.create_task(worker.work(-(-OPERATIONS // IN_FLIGHT)))
        over.set()
    for worker in workers:
        for connection in worker.connections.values():
            connection.close()
    return Race(
        history=[operation for worker in workers for operation in worker.history],
        waits=[wait for worker in workers for wait in worker.waits],
        unanswered=sum(worker.unanswered for worker in workers),
    )
