"""Pseudonyms off the event loop: asked for once, together, and never waited for when the database is away."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from scoring_core.edges import identities
from scoring_core.edges.identities import Identities
from scoring_core.edges.telemetry import Telemetry
from storage.errors import Unavailable


class Salts:
    """Counts what it is asked; fails or hangs on demand."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()

    def resolve(self, raws: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(sorted(raws))
        self.gate.wait(5)
        if self.fails:
            raise Unavailable("away")
        return {raw: f"p-{raw}" for raw in raws}


def made(salts: Salts, clock: list[float], *, limit: int = 100) -> Identities:
    telemetry = Telemetry(replica="r", boot_id="b", wall=lambda: 0, started_at=0)
    return Identities(salts.resolve, ThreadPoolExecutor(1), telemetry, clock_s=lambda: clock[0], limit=limit)


def test_those_who_wait_are_resolved_together_and_once() -> None:
    async def scenario() -> None:
        salts = Salts()
        known = made(salts, [0.0])
        salts.gate.clear()
        waits = [asyncio.create_task(known.pseudonym(raw)) for raw in ("a", "b", "a", "c")]
        await asyncio.sleep(0.02)
        salts.gate.set()
        assert await asyncio.gather(*waits) == ["p-a", "p-b", "p-a", "p-c"]
        assert sorted(raw for batch in salts.asked for raw in batch) == ["a", "b", "c"]
        assert await known.pseudonyms(["a", "c"]) == {"a": "p-a", "c": "p-c"}
        assert len(salts.asked) <= 2

    asyncio.run(scenario())


def test_a_database_that_is_away_makes_strangers_unknown_at_once() -> None:
    async def scenario() -> None:
        salts, clock = Salts(), [0.0]
        known = made(salts, clock)
        assert await known.pseudonym("friend") == "p-friend"
        salts.fails = True
        assert await known.pseudonym("stranger") is None
        asked = len(salts.asked)
        assert await known.pseudonym("stranger") is None
        assert await known.pseudonym("friend") == "p-friend"
        assert len(salts.asked) == asked
        salts.fails = False
        clock[0] = 2.0
        assert await known.pseudonym("stranger") == "p-stranger"

    asyncio.run(scenario())


def test_a_database_that_hangs_is_not_waited_for(monkeypatch: object) -> None:
    async def scenario() -> None:
        salts, clock = Salts(), [0.0]
        known = made(salts, clock)
        salts.gate.clear()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await known.pseudonym("a") is None
        assert loop.time() - begun < 10 * identities.WAIT_S
        assert await known.pseudonym("b") is None
        assert salts.asked == [["a"]]
        salts.gate.set()
        clock[0] = 2.0
        assert await known.pseudonym("a") == "p-a"

    asyncio.run(scenario())


def test_the_cache_is_bounded() -> None:
    async def scenario() -> None:
        salts = Salts()
        known = made(salts, [0.0], limit=10)
        for number in range(30):
            await known.pseudonym(f"u-{number}")
        assert len(known) == 10
        assert known.cached("u-29") == "p-u-29"
        assert known.cached("u-0") is None

    asyncio.run(scenario())
