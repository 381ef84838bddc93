"""What every hot store promises; the memory store and the Redis store are twins, to the bit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore, Signal
from storage.hot.redis import RedisStore
from storage.records.clock import DAY, SECOND
from storage.records.consent import Consented
from storage.records.subjects import USER_DIMENSIONS, UserState

Make = Callable[[], HotStore]

# A long deadline: these are laws of what is stored, on a machine that may be busy; deadlines have their own tests.
MEMBERS: dict[str, Callable[[str], HotStore]] = {
    "memory": lambda _url: MemoryStore(),
    "redis": lambda url: RedisStore(url, timeout_s=10.0),
}


@pytest.fixture(params=sorted(MEMBERS))
def make(request: pytest.FixtureRequest, redis_url: str) -> Make:
    return lambda: MEMBERS[request.param](redis_url)


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


def test_nothing_is_known_of_a_stranger(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        assert await store.state(Consented("nobody")) is None
        await store.forget("nobody")
        await store.learn([])

    run(make, scenario)


def test_the_very_next_read_sees_what_was_learned(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        for i in range(1, 20):
            await store.learn([signal(weight=0.5)])
            state = await store.state(Consented("s"))
            assert state is not None
            assert state.events == i
            assert values(state)[0] == 0.5 * i

    run(make, scenario)


def test_interests_fade_by_half_in_a_half_life(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([signal(at=0), signal(at=10 * SECOND, vector=vector(0.0, 1.0))])
        state = await store.state(Consented("s"))
        assert state is not None
        assert (values(state)[:2], state.updated_at, state.events) == ([0.5, 1.0], 10 * SECOND, 2)

    run(make, scenario)


def test_a_late_signal_counts_as_if_it_had_come_in_time(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        early, late = signal("a", at=0, vector=vector(1.0)), signal("a", at=20 * SECOND, vector=vector(0.0, 4.0))
        await store.learn([late, early])
        state = await store.state(Consented("a"))
        assert state is not None
        assert (values(state)[:2], state.updated_at) == ([0.25, 4.0], 20 * SECOND)

    run(make, scenario)


def test_subjects_do_not_touch_each_other_and_can_be_forgotten(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([signal("a"), signal("b", weight=2.0), signal("a")])
        await store.forget("a")
        assert await store.state(Consented("a")) is None
        assert values(await store.state(Consented("b")))[0] == 2.0
        await store.learn([signal("a")])
        state = await store.state(Consented("a"))
        assert state is not None
        assert state.events == 1

    run(make, scenario)


def test_many_learners_at_once_lose_nothing(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await asyncio.gather(*(store.learn([signal(), signal(f"s{i}")]) for i in range(60)))
        state = await store.state(Consented("s"))
        assert state is not None
        assert (state.events, values(state)[0]) == (60, 60.0)

    run(make, scenario)


def test_a_large_batch_arrives_whole(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([signal(f"s{i % 300}") for i in range(1_000)])
        counts = [(await store.state(Consented(f"s{i}"))).events for i in range(300)]  # type: ignore[union-attr]  # known
        assert sum(counts) == 1_000
        assert set(counts) == {3, 4}

    run(make, scenario)


@pytest.mark.parametrize(
    "wrong",
    [
        signal(vector=b"short"),
        signal(weight=float("nan")),
        signal(weight=float("inf")),
        signal(half_life_s=0.0),
        signal(half_life_s=float("nan")),
    ],
)
def test_what_no_store_could_learn_is_refused_whole(make: Make, wrong: Signal) -> None:
    async def scenario(store: HotStore) -> None:
        with pytest.raises(ValueError, match="signal"):
            await store.learn([signal(), wrong])
        assert await store.state(Consented("s")) is None

    run(make, scenario)


def test_the_memory_store_is_bounded() -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([signal("a", at=1), signal("b", at=2), signal("a", at=3), signal("c", at=4)])
        assert await store.state(Consented("b")) is None
        assert await store.state(Consented("a")) is not None
        assert await store.state(Consented("c")) is not None

    run(lambda: MemoryStore(max_subjects=2), scenario)


_signals = st.lists(
    st.builds(
        Signal,
        subject=st.sampled_from(["a", "b", "ü \n"]),
        at=st.integers(0, 400 * DAY),
        weight=st.floats(-1e6, 1e6),
        half_life_s=st.floats(1e-3, 1e9),
        vector=st.lists(st.floats(-1e6, 1e6, width=32), min_size=USER_DIMENSIONS, max_size=USER_DIMENSIONS).map(
            lambda numbers: vector(*numbers)
        ),
    ),
    max_size=8,
)


@settings(max_examples=100)
@given(batches=st.lists(_signals, min_size=1, max_size=3))
def test_the_twins_give_the_same_bits(redis_url: str, batches: list[list[Signal]]) -> None:
    async def main() -> None:
        async with (
            opened(lambda: MEMBERS["memory"]("")) as memory,
            opened(lambda: MEMBERS["redis"](redis_url)) as redis,
        ):
            subjects = {signal.subject for batch in batches for signal in batch}
            for subject in subjects:
                await redis.forget(subject)
            for batch in batches:
                await memory.learn(batch)
                await redis.learn(batch)
            for subject in subjects:
                assert await redis.state(Consented(subject)) == await memory.state(Consented(subject))

    asyncio.run(main())
