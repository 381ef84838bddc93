"""The hot stores in memory and in Redis are twins, to the bit, and batches make no difference."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore, Signal
from storage.records.clock import DAY
from storage.records.consent import Consented
from storage.records.subjects import COUNTERS, MOST_INTERESTS, USER_DIMENSIONS, StatedInterest, Statement
from tests.laws.hot.stores import MEMBERS, opened, tokens, vector

_signals = st.lists(
    st.builds(
        Signal,
        subject=st.sampled_from(["a", "b", "ü \n"]),
        at=st.integers(0, 400 * DAY),
        weight=st.floats(-1e6, 1e6),
        half_life_s=st.floats(1e-3, 1e9),
        tokens=st.lists(st.integers(0, 40), max_size=4, unique=True).map(lambda names: tokens(*names, weight=0.5)),
        item=st.none() | st.integers(0, 2**32 - 2),
        roles=st.integers(0, 15),
        adds=st.lists(st.tuples(st.integers(0, len(COUNTERS) - 1), st.floats(0, 2.0**24, width=32)), max_size=3).map(
            tuple
        ),
        session=st.integers(0, 3),
        level=st.none() | st.integers(0, 3),
        vector=st.lists(st.floats(-1e6, 1e6, width=32), min_size=USER_DIMENSIONS, max_size=USER_DIMENSIONS).map(
            lambda numbers: vector(*numbers)
        ),
    ),
    max_size=8,
)


_statements = st.builds(
    Statement,
    subject=st.sampled_from(["a", "b"]),
    number=st.integers(1, 5),
    at=st.integers(0, 400 * DAY),
    interests=st.lists(
        st.builds(
            StatedInterest,
            token=st.integers(0, 40),
            value=st.floats(-1, 1),
            at=st.integers(0, 2**32 - 1),
            source=st.integers(1, 2),
        ),
        max_size=MOST_INTERESTS,
        unique_by=lambda each: each.token,
    ).map(tuple),
    attributes=st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9) | st.text(max_size=5)),
)
_steps = st.lists(_signals | _statements | st.just(("a", "b")) | st.just(("b", "a")), min_size=1, max_size=4)


async def step(store: HotStore, taken: Any) -> None:
    match taken:
        case Statement():
            await store.state_explicitly(taken)
        case (str(anonymous), str(account)):
            await store.merge(anonymous, account)
        case _:
            await store.learn(taken)


@given(signals=_signals)
def test_it_does_not_matter_how_signals_are_batched(signals: list[Signal]) -> None:
    async def main() -> None:
        whole, single = MemoryStore(), MemoryStore()
        await whole.learn(signals)
        for each in signals:
            await single.learn([each])
        for subject in {each.subject for each in signals}:
            assert await whole.state(Consented(subject)) == await single.state(Consented(subject))

    asyncio.run(main())


@settings(max_examples=100)
@given(batches=_steps)
def test_the_twins_give_the_same_bits(redis_url: str, batches: list[Any]) -> None:
    async def main() -> None:
        async with (
            opened(lambda: MEMBERS["memory"]("")) as memory,
            opened(lambda: MEMBERS["redis"](redis_url)) as redis,
        ):
            subjects = ("a", "b", "ü \n")
            for subject in subjects:
                await redis.forget(subject)
            for batch in batches:
                await step(memory, batch)
                await step(redis, batch)
            for subject in subjects:
                assert await redis.state(Consented(subject)) == await memory.state(Consented(subject))

    asyncio.run(main())
