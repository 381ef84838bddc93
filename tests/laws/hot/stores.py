"""Hot stores, what they are told, and what they hold of a person."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore, Signal
from storage.hot.redis import RedisStore
from storage.records.clock import SECOND
from storage.records.subjects import (
    COUNTERS,
    INTEREST_DTYPE,
    RECENT_DTYPE,
    TOKEN_DTYPE,
    USER_DIMENSIONS,
    StatedInterest,
    Statement,
    UserState,
)

Make = Callable[[], HotStore]

# A long deadline: these are laws of what is stored, on a machine that may be busy; deadlines have their own tests.
MEMBERS: dict[str, Callable[[str], HotStore]] = {
    "memory": lambda _url: MemoryStore(),
    "redis": lambda url: RedisStore(url, timeout_s=10.0),
}


@asynccontextmanager
async def opened(make: Make) -> AsyncIterator[HotStore]:
    store = make()
    try:
        yield store
    finally:
        await store.close()


def run(make: Make, scenario: Callable[[HotStore], Awaitable[None]]) -> None:
    async def main() -> None:
        async with opened(make) as store:
            await scenario(store)

    asyncio.run(main())


def vector(*values: float) -> bytes:
    return np.array([*values, *[0.0] * (USER_DIMENSIONS - len(values))], "<f4").tobytes()


def signal(
    subject: str = "s", *, at: int = 0, weight: float = 1.0, half_life_s: float = 10.0, **changed: Any
) -> Signal:
    return Signal(
        subject=subject, at=at, weight=weight, half_life_s=half_life_s, vector=changed.get("vector", vector(1.0))
    )


def values(state: UserState | None) -> list[float]:
    assert state is not None
    return np.frombuffer(state.vector, "<f4").astype(float).tolist()


def tokens(*names: int, weight: float = 1.0) -> bytes:
    return np.array([(name, weight) for name in names], TOKEN_DTYPE).tobytes()


def liked(state: UserState | None) -> dict[int, tuple[float, float, int, int, int]]:
    assert state is not None
    rows = np.frombuffer(state.interests, INTEREST_DTYPE).tolist()
    return {token: (score, stated, at, evidence, source) for token, score, stated, at, evidence, source in rows}


def recent(state: UserState | None) -> list[tuple[int, int, int]]:
    assert state is not None
    return [tuple(row) for row in np.frombuffer(state.recent, RECENT_DTYPE).tolist()]


def counted(state: UserState | None, name: str) -> float:
    assert state is not None
    return float(np.frombuffer(state.counts, "<f4")[COUNTERS.index(name)])


def statement(number: int, at: int, attributes: dict[str, Any] | None = None, **interests: float) -> Statement:
    said = tuple(StatedInterest(token=int(name[1:]), value=value, at=at // SECOND) for name, value in interests.items())
    return Statement(subject="s", number=number, at=at, interests=said, attributes=attributes or {})


def told(token: int, *, at: int = 0, weight: float = 1.0, **changed: Any) -> Signal:
    """An event about an item that has one token: its vector is what that token contributes."""
    whole = np.zeros(USER_DIMENSIONS, "<f4")
    whole[(token >> 1) % USER_DIMENSIONS] = 1.0 if token & 1 else -1.0
    options: dict[str, Any] = {"subject": "s", "half_life_s": 10.0, **changed}
    return Signal(at=at, weight=weight, vector=whole.tobytes(), tokens=tokens(token), **options)
