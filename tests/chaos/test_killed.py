"""R1: the engine killed again and again under load keeps everything that it acknowledged, once.

``FAIRLEAD_TEST_KILLS`` sets how often it is killed (20 in the published figure), ``FAIRLEAD_TEST_SEED`` when.
"""

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from benchmarks.load import Connection, connect, post
from tests.chaos.accounts import holes, not_at_the_end, settle
from tests.chaos.callers import events
from tests.chaos.plants import Plant, planted

KILLS = int(os.environ.get("FAIRLEAD_TEST_KILLS", "2"))
SEED = int(os.environ.get("FAIRLEAD_TEST_SEED", "20261120"))
RATE, SENDERS, BATCH = 500, 8, 25
AGAIN = 0.1
"""The share of acknowledged batches that are sent once more, by a client that lost the answer."""
EARLY = 0.25
"""The share of kills that come before the engine is ready again."""


class Sender:
    """Sends 500 events a second over eight connections whatever happens, until each is acknowledged; asks for
    decisions meanwhile."""

    def __init__(self, plant: Plant, seed: int) -> None:
        self.plant, self.rng = plant, random.Random(seed)
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.accepted = 0
        self.decided: list[list[str]] = [[]]
        self.statuses: Counter[int] = Counter()
        self.hung_up = 0
        self.going = True
        self._connections: list[Connection] = []
        self._waiting: asyncio.Queue[list[str]] = asyncio.Queue()

    async def run(self) -> None:
        """Send until told to end, then until everything is acknowledged."""
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(self._work()) for _ in range(SENDERS)]
            asker = group.create_task(self._ask())
            await self._make()
            await self._waiting.join()
            for task in (*work, asker):
                task.cancel()
        for connection in self._connections:
            connection.close()

    async def _make(self) -> None:
        made, begun = 0, time.monotonic()
        while self.going:
            while made + BATCH <= (time.monotonic() - begun) * RATE:
                self._waiting.put_nowait([f"e-{number}" for number in range(made, made + BATCH)])
                made += BATCH
            await asyncio.sleep(0.01)

    async def _work(self) -> None:
        connection: Connection | None = None
        while True:
            batch = await self._waiting.get()
            while connection is None or not await self._send(connection, batch):
                connection = await self._reach()
            if self.rng.random() < AGAIN:
                await self._send(connection, batch)
            self._waiting.task_done()

    async def _send(self, connection: Connection, batch: list[str]) -> bool:
        """Send one batch; tell whether it was answered."""
        self.sent.update(batch)
        request = post("/v1/events", orjson.dumps(events(batch)), self.plant.token)
        try:
            status, body = await asyncio.wait_for(connection.send(request), 20)
        except (OSError, TimeoutError):
            self.hung_up += 1
            return False
        self.statuses[status] += 1
        if status != 202:
            await asyncio.sleep(0.05)
            return False
        self.accepted += orjson.loads(body)["accepted"]
        self.acknowledged.update(batch)
        return True

    async def _ask(self) -> None:
        connection: Connection | None = None
        request = post("/v1/personalize", b'{"surface": "home", "subject": "u-1"}', self.plant.token)
        while True:
            try:
                connection = connection or await self._reach()
                life = self.decided[-1]
                status, body = await asyncio.wait_for(connection.send(request), 20)
            except (OSError, TimeoutError):
                connection = None
                continue
            self.statuses[status] += 1
            if status == 200:
                life.append(orjson.loads(body)["decision_id"])
            await asyncio.sleep(0.02)

    async def _reach(self) -> Connection:
        while True:
            with contextlib.suppress(OSError):
                self._connections.append(await connect(self.plant.settings.engine_port))
                return self._connections[-1]
            await asyncio.sleep(0.02)


def end(plant: Plant, sender: Sender) -> None:
    """Kill the engine; what is asked from now on belongs to its next life."""
    plant.kill()
    sender.decided.append([])


async def torment(plant: Plant, sender: Sender, rng: random.Random) -> list[float]:
    """Kill and restart; return the seconds until it was ready, of each time that it was let to become so."""
    back: list[float] = []
    back.append(await asyncio.to_thread(plant.start))
    sending = asyncio.create_task(sender.run())
    for _ in range(KILLS):
        await asyncio.sleep(rng.uniform(0.3, 1.2))
        end(plant, sender)
        if rng.random() < EARLY:
            await asyncio.to_thread(plant.start, ready=False)
            await asyncio.sleep(rng.uniform(0.0, 1.5))
            end(plant, sender)
        back.append(await asyncio.to_thread(plant.start))
    await asyncio.sleep(1.0)
    sender.going = False
    await asyncio.wait_for(sending, 60)
    return back


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_killed_at_random_under_load_it_keeps_what_it_acknowledged_once(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    with planted(tmp_path / "home") as plant:
        sender = Sender(plant, SEED)
        back = asyncio.run(torment(plant, sender, rng))
        assert plant.stop() == 0, plant.said
        plant.start()
        journal = plant.journal()
    stored = [entry["record"]["event_id"] for entry in journal if entry["kind"] == "event"]
    recorded = {entry["record"]["decision_id"] for entry in journal if entry["kind"] == "decision"}
    account = settle(sent=sender.sent, acknowledged=sender.acknowledged, stored=stored)
    answered = sum(map(len, sender.decided))
    missing = [[each for each in life if each not in recorded] for life in sender.decided]
    print(f"seed {SEED}: {KILLS} kills, {len(sender.sent)} events sent, {account.acknowledged} acknowledged,")
    print(f"{account.stored} stored, {len(account.lost)} lost, {len(account.twice)} twice; {sender.hung_up} hang-ups;")
    print(f"{answered} decisions answered, {sum(map(len, missing))} of them in no journal (the last group commits);")
    print(f"ready again after {', '.join(f'{seconds:.1f}' for seconds in back)} s; statuses {dict(sender.statuses)}")
    assert account.balanced, account
    assert sender.acknowledged == sender.sent
    assert len(sender.sent) >= KILLS * RATE / 2
    assert sender.hung_up >= KILLS, "no call was under way when the engine was killed: the test proves nothing"
    assert holes(entry["seq"] for entry in journal) == ()
    assert sender.accepted <= account.stored
    assert [not_at_the_end(life, recorded) for life in sender.decided] == [()] * len(sender.decided)
    assert set(sender.statuses) <= {200, 202, 503}, "an engine that is not ready says 503, and nothing else is wrong"
    assert "Traceback" not in plant.said
