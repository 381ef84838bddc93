"""What every hot store promises; the memory store and the Redis store are twins, to the bit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
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
from storage.records.subjects import (
    COUNTERS,
    INTEREST_DTYPE,
    MOST_INTERESTS,
    MOST_RECENT,
    RECENT_DTYPE,
    SESSION_GAP_S,
    STATED_WEIGHT,
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


def test_interests_grow_with_evidence_and_fade(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([told(7), told(7), told(8, weight=-1.0), told(9, at=10 * SECOND, weight=4.0)])
        found = liked(await store.state(Consented("s")))
        assert list(found) == [9, 7, 8]  # strongest first
        assert {token: row[0] for token, row in found.items()} == {9: 4.0, 7: 1.0, 8: -0.5}
        assert {token: row[3] for token, row in found.items()} == {9: 1, 7: 2, 8: 1}
        assert np.isnan([row[1] for row in found.values()]).all()

    run(make, scenario)


def test_a_statement_stands_in_for_older_evidence_in_the_vector_too(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([told(7, weight=3.0), told(8)])
        await store.state_explicitly(statement(1, 5 * SECOND, {"age": 30}, t7=-1.0))
        state = await store.state(Consented("s"))
        assert liked(state)[7] == (0.0, -1.0, 5, 0, 1)
        assert values(state)[3] == -1.0 * STATED_WEIGHT  # token 7: dimension 3, sign +
        assert values(state)[4] == -1.0  # token 8: dimension 4, sign −
        assert state is not None
        assert (state.attributes, state.events) == ({"age": 30}, 2)
        # older evidence that comes late is void, newer gathers beside what was said
        await store.learn([told(7, at=4 * SECOND, half_life_s=1e9), told(7, at=6 * SECOND, half_life_s=1e9)])
        state = await store.state(Consented("s"))
        assert liked(state)[7] == (1.0, -1.0, 5, 1, 1)
        assert values(state)[3] == pytest.approx(-STATED_WEIGHT + 1.0, abs=1e-3)

    run(make, scenario)


def test_what_is_stated_no_more_is_gone_and_an_older_statement_changes_nothing(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.state_explicitly(statement(5, SECOND, {"size": "m"}, t7=1.0, t9=0.5))
        state = await store.state(Consented("s"))
        assert state is not None
        assert (state.events, list(liked(state)), state.first_at) == (0, [7, 9], SECOND)
        await store.state_explicitly(statement(4, 0, {"size": "xs"}, t11=1.0))
        assert await store.state(Consented("s")) == state
        await store.state_explicitly(statement(6, 2 * SECOND, {}, t9=0.5))
        state = await store.state(Consented("s"))
        assert state is not None
        assert (list(liked(state)), dict(state.attributes)) == ([9], {})

    run(make, scenario)


def test_a_full_state_drops_the_weakest_interest_that_nobody_stated(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.state_explicitly(statement(1, 0, t1=0.01))
        await store.learn([told(token, weight=float(token)) for token in range(2, 2 + MOST_INTERESTS)])
        found = liked(await store.state(Consented("s")))
        assert len(found) == MOST_INTERESTS
        assert 1 in found
        assert 2 not in found

    run(make, scenario)


def test_recent_items_stand_once_by_time_and_what_was_only_shown_gives_way_first(make: Make) -> None:
    minute = 60 * SECOND

    def seen(item: int, at: int, roles: int = 2) -> Signal:
        return Signal(subject="s", at=at * minute, weight=0.0, half_life_s=1e6, vector=vector(), item=item, roles=roles)

    async def scenario(store: HotStore) -> None:
        await store.learn([seen(5, 1), seen(6, 3, roles=1), seen(4, 2), seen(5, 4, roles=4)])
        assert recent(await store.state(Consented("s"))) == [(4, 2, 120), (6, 1, 180), (5, 6, 240)]
        await store.learn([seen(100 + n, 10 + n) for n in range(MOST_RECENT - 2)])
        found = recent(await store.state(Consented("s")))
        assert (len(found), found[0][0], found[1][0]) == (MOST_RECENT, 4, 5)  # 6 was only shown
        await store.learn([seen(7, 99)])
        assert [row[0] for row in recent(await store.state(Consented("s")))][:2] == [5, 100]

    run(make, scenario)


def test_sessions_begin_with_another_key_or_after_a_gap(make: Make) -> None:
    def visit(at_s: int, session: int = 0) -> Signal:
        return Signal(
            subject="s", at=at_s * SECOND, weight=0.0, half_life_s=1.0, vector=vector(), session=session, level=2
        )

    async def scenario(store: HotStore) -> None:
        expected = 0
        for at_s, session, begins in (
            (10_000, 1, True),
            (10_010, 0, False),
            (10_020, 1, False),
            (10_030, 2, True),
            (9_000, 3, False),  # late: whose session that was is history
            (10_030 + SESSION_GAP_S, 2, False),
            (10_031 + 2 * SESSION_GAP_S, 2, True),
        ):
            await store.learn([visit(at_s, session)])
            expected += begins
            assert counted(await store.state(Consented("s")), "sessions") == expected
        state = await store.state(Consented("s"))
        assert state is not None
        assert (state.attributes, state.first_at) == ({"login_level": 2}, 9_000 * SECOND)

    run(make, scenario)


def test_counters_add_up_exactly(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        bought = ((COUNTERS.index("purchases"), 1.0), (COUNTERS.index("spend"), 19.75))
        for _ in range(40):
            await store.learn(
                [Signal(subject="s", at=0, weight=0.0, half_life_s=1.0, vector=vector(), adds=bought)] * 5
            )
        state = await store.state(Consented("s"))
        assert (counted(state, "purchases"), counted(state, "spend")) == (200.0, 3950.0)

    run(make, scenario)


def test_a_visitor_joins_the_account(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        account, visitor = {"subject": "account"}, {"subject": "visitor"}
        await store.learn([told(7, **account, item=1, roles=2), told(8, **account)])
        await store.state_explicitly(replace(statement(3, 5 * SECOND, {"size": "m"}, t9=1.0), subject="account"))
        await store.learn([told(7, **visitor, item=2, roles=4), told(9, weight=5.0, **visitor), told(10, **visitor)])
        assert await store.merge("visitor", "account")
        assert await store.state(Consented("visitor")) is None
        state = await store.state(Consented("account"))
        assert state is not None
        assert (state.events, dict(state.attributes)) == (5, {"size": "m"})
        assert {row[0]: row[1] for row in recent(state)} == {1: 2, 2: 4}
        assert {token: row[:2] for token, row in liked(state).items() if token != 9}.keys() == {7, 8, 10}
        assert (liked(state)[7][0], liked(state)[9][:2]) == (2.0, (0.0, 1.0))  # what the account said holds
        assert counted(state, "sessions") == 2
        assert not await store.merge("visitor", "account")
        assert not await store.merge("account", "account")
        assert await store.state(Consented("account")) == state
        assert await store.merge("account", "nobody")
        assert await store.state(Consented("nobody")) == state

    run(make, scenario)


def test_replacing_leaves_nothing_of_before(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        await store.learn([told(7), told(8)])
        await store.replace("s", [told(9)], statement(1, 0, t11=1.0))
        assert set(liked(await store.state(Consented("s")))) == {9, 11}
        await store.replace("s", [], None)
        assert await store.state(Consented("s")) is None

    run(make, scenario)


def test_replacing_takes_each_thing_in_its_time(make: Make) -> None:
    async def scenario(store: HotStore) -> None:
        early, late = replace(told(9), at=SECOND), replace(told(9), at=9 * SECOND)
        said = statement(1, 5 * SECOND, t9=-1.0)
        await store.learn([early])
        await store.state_explicitly(said)
        await store.learn([late])
        step_by_step = await store.state(Consented("s"))
        await store.replace("s", [early, late], said)
        assert await store.state(Consented("s")) == step_by_step

    run(make, scenario)


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
