"""The stores of impression counts in memory and in Redis are twins, row by row."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.hot.caps import RESERVED, Claim, Counted, Shown, unpacked
from storage.hot.caps_memory import MemoryCaps
from storage.hot.caps_redis import RedisCaps
from tests.laws.caps.stands import ANNA, BRAND, DAILY, WEEKLY, WINDOWS, Clock, counts_of

_COUNTERS = st.lists(
    st.tuples(st.sampled_from([DAILY, WEEKLY, BRAND]), st.integers(0, 2)),
    min_size=1,
    max_size=3,
    unique_by=lambda c: c[0],
).map(tuple)
_STEPS = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0.5, 30, 61, 3_600, 3_601, 50_000, 86_400, 200_000])),
    st.tuples(
        st.just("reserve"),
        st.lists(st.builds(Claim, st.integers(0, 12), _COUNTERS), min_size=1, max_size=4),
        st.booleans(),
        st.booleans(),
    ),
    st.tuples(
        st.just("impressed"),
        st.lists(
            st.tuples(st.integers(0, 12), st.integers(-400_000, 100), _COUNTERS, st.booleans(), st.booleans()),
            min_size=1,
            max_size=4,
        ),
    ),
)


def sorted_rows(counted: Counted) -> list[tuple[int, ...]]:
    return sorted(unpacked(counted.rows))


@pytest.fixture
def twins(redis_url: str) -> Iterator[str]:
    yield redis_url


@settings(max_examples=60)
@given(steps=st.lists(_STEPS, min_size=1, max_size=14))
def test_the_twins_keep_the_same_rows_and_no_limit_is_passed(twins: str, steps: list[tuple[object, ...]]) -> None:
    async def main() -> None:
        clock = Clock()
        memory, redis = MemoryCaps(clock), RedisCaps(twins, timeout_s=10.0, clock=clock)
        await redis.forget(ANNA)
        for name, *rest in steps:
            if name == "pass":
                clock.pass_s(rest[0])  # type: ignore[arg-type]  # drawn above
                continue
            answers = []
            for store in (memory, redis):
                if name == "reserve":
                    claims, partly, at_once = rest
                    before = counts_of(await store.counted(ANNA))
                    answer = await store.reserve(  # type: ignore[assignment]  # drawn above
                        ANNA,
                        claims,
                        WINDOWS,
                        for_s=60,
                        partly=partly,
                        shown=at_once,  # type: ignore[arg-type]
                    )
                    after = counts_of(await store.counted(ANNA))
                    for counter, n in after.items():
                        assert n <= max(WINDOWS[counter[0]].limit, before.get(counter, 0))
                    answers.append(answer.refused)
                else:
                    reports = [
                        Shown(ANNA, mark, clock.now_s + at, counters, only, decided)
                        for mark, at, counters, only, decided in rest[0]  # type: ignore[attr-defined]
                    ]
                    answers.append(await store.impressed(reports, WINDOWS))
            assert answers[0] == answers[1]
            assert sorted_rows(await memory.counted(ANNA)) == sorted_rows(await redis.counted(ANNA))
        assert all(mark < RESERVED or at > 0 for _, _, at, mark in unpacked((await memory.counted(ANNA)).rows))
        await redis.close()

    asyncio.run(main())
