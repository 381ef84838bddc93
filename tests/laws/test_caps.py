"""What every store of impression counts promises; memory and Redis are twins, row by row."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.cap_windows import window
from storage.hot.caps import (
    KNOWN_S,
    MOST_ROWS,
    RESERVED,
    CapStore,
    Claim,
    Counted,
    Holder,
    Reserved,
    Shown,
    Window,
    Windows,
    unpacked,
)
from storage.hot.caps_memory import MemoryCaps
from storage.hot.caps_redis import RedisCaps
from storage.records.caps import Cap
from storage.records.clock import SECOND
from storage.records.tallies import Counter

START = 1_700_000_000 * SECOND
ANNA = Holder("5f" * 16)
DAILY, WEEKLY, BRAND = 101, 102, 103
WINDOWS = Windows(
    {
        DAILY: Window(DAILY, 2, 86_400),
        WEEKLY: Window(WEEKLY, 3, 7 * 86_400),
        BRAND: Window(BRAND, 1, 3_600),
    }
)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    @property
    def now_s(self) -> int:
        return self.now // SECOND


@dataclass
class Stand:
    """A store under test, its clock, and another store of the same rows, as a second replica has it."""

    store: CapStore
    other: CapStore
    clock: Clock


def stand(kind: str, url: str) -> Stand:
    clock = Clock()
    if kind == "memory":
        store = MemoryCaps(clock)
        return Stand(store, store, clock)
    return Stand(*(RedisCaps(url, timeout_s=10.0, clock=clock) for _ in range(2)), clock)


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest, redis_url: str) -> Callable[[Callable[[Stand], Awaitable[None]]], None]:
    def running(scenario: Callable[[Stand], Awaitable[None]]) -> None:
        async def main() -> None:
            made = stand(request.param, redis_url)
            try:
                await scenario(made)
            finally:
                await made.store.close()
                await made.other.close()

        asyncio.run(main())

    return running


Run = Callable[[Callable[[Stand], Awaitable[None]]], None]


def claim(mark: int, *counters: Counter) -> Claim:
    return Claim(mark, counters or ((DAILY, 1),))


def shown(at: Stand, mark: int, *counters: Counter, holder: Holder = ANNA, **changes: object) -> Shown:
    return replace(Shown(holder, mark, at.clock.now_s, counters or ((DAILY, 1),)), **changes)  # type: ignore[arg-type]


async def reserve(at: Stand, *claims: Claim, store: CapStore | None = None, for_s: int = 60, **how: bool) -> Reserved:
    return await (store or at.store).reserve(ANNA, claims, WINDOWS, for_s=for_s, **how)


def counts_of(counted: Counted, windows: Windows = WINDOWS) -> dict[Counter, int]:
    return counted.tally(windows).by_counter()


async def count(at: Stand, counter: Counter = (DAILY, 1), windows: Windows = WINDOWS, holder: Holder = ANNA) -> int:
    return counts_of(await at.other.counted(holder), windows).get(counter, 0)


def test_the_limit_itself_is_still_shown_and_nothing_beyond_it(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        assert [(await reserve(at, claim(mark))).refused for mark in range(1, 5)] == [(), (), (0,), (0,)]
        assert await count(at) == 2

    run(scenario)


def test_all_claims_are_reserved_or_none_and_partly_what_fits(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        claims = [claim(1, (DAILY, 1)), claim(2, (BRAND, 9)), claim(3, (BRAND, 9)), claim(4, (DAILY, 2))]
        whole = await reserve(at, *claims)
        assert (whole.refused, await count(at)) == ((2,), 0)
        assert (await reserve(at, *claims, partly=True)).refused == (2,)
        assert [await count(at, each) for each in ((DAILY, 1), (BRAND, 9), (DAILY, 2))] == [1, 1, 1]

    run(scenario)


def test_the_strictest_cap_wins(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        both = ((DAILY, 1), (BRAND, 1))
        assert (await reserve(at, claim(1, *both))).refused == ()
        assert (await reserve(at, claim(2, *both))).refused == (0,)
        assert await count(at) == 1, "what is refused by one cap raises no other"
        at.clock.pass_s(7_300)
        assert (await reserve(at, claim(3, *both), for_s=90_000)).refused == ()
        at.clock.pass_s(7_300)
        assert (await reserve(at, claim(4, *both), for_s=90_000)).refused == (0,), "a reservation counts while it holds"

    run(scenario)


def test_a_reservation_runs_out_and_an_impression_turns_it_into_a_count(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        await reserve(at, claim(1), claim(2))
        at.clock.pass_s(30)
        assert await at.store.impressed([shown(at, 1)], WINDOWS) == {}
        assert await count(at) == 2
        at.clock.pass_s(31)
        assert await count(at) == 1
        assert (await reserve(at, claim(3))).refused == ()

    run(scenario)


def test_a_reservation_holds_for_as_long_as_was_asked_and_a_second_at_most_beyond(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        at.clock.pass_s(0.9)
        await reserve(at, claim(1), claim(2))
        at.clock.pass_s(60)
        assert await count(at) == 2
        at.clock.pass_s(1.1)
        assert await count(at) == 0

    run(scenario)


def test_the_same_impression_counts_once_however_often_it_is_reported(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        await reserve(at, claim(1))
        for _ in range(3):
            await at.store.impressed([shown(at, 1), shown(at, 1)], WINDOWS)
            at.clock.pass_s(KNOWN_S / 4)
        await at.other.impressed([shown(at, 7, decided=False)] * 2, WINDOWS)
        assert await count(at) == 2

    run(scenario)


def test_a_duplicate_is_known_for_an_hour_though_the_window_is_over(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        minute = Windows({1: Window(1, 1, 60)})
        await at.store.impressed([shown(at, 5, (1, 1))], minute)
        at.clock.pass_s(KNOWN_S - 1)
        await at.store.impressed([shown(at, 5, (1, 1))], minute)
        assert await count(at, (1, 1), minute) == 0

    run(scenario)


def test_a_late_impression_counts_and_what_goes_above_the_limit_is_told(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        await reserve(at, claim(1), claim(2))
        at.clock.pass_s(62)
        assert (await reserve(at, claim(3), claim(4))).refused == ()
        assert await at.store.impressed([shown(at, 3), shown(at, 4)], WINDOWS) == {}
        assert await at.store.impressed([shown(at, 1), shown(at, 2, decided=False)], WINDOWS) == {DAILY: 1}
        assert await count(at) == 4

    run(scenario)


def test_only_a_reservation_is_turned_into_a_count_where_nothing_else_may(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        await reserve(at, claim(1))
        await at.store.impressed([shown(at, n, reserved_only=True) for n in (1, 2)], WINDOWS)
        at.clock.pass_s(100)
        assert await count(at) == 1

    run(scenario)


def test_what_is_shown_by_being_decided_counts_at_once(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        assert (await reserve(at, claim(1), claim(2), shown=True)).refused == ()
        at.clock.pass_s(1_000)
        assert (await reserve(at, claim(3), shown=True)).refused == (0,)
        assert await at.store.impressed([shown(at, 1)], WINDOWS) == {}
        assert await count(at) == 2

    run(scenario)


@pytest.mark.parametrize("part", [0.0, 0.4, 0.999])
def test_a_rolling_window_never_ends_early_and_at_most_a_second_late(run: Run, part: float) -> None:
    async def scenario(at: Stand) -> None:
        at.clock.pass_s(part)
        await at.store.impressed([shown(at, 1), shown(at, 2)], WINDOWS)
        at.clock.pass_s(86_400 - 1e-6)
        assert (await reserve(at, claim(3))).refused == (0,)
        at.clock.pass_s(1.001)
        assert (await reserve(at, claim(3))).refused == ()

    run(scenario)


def test_an_impression_of_long_ago_is_none_of_now(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        old = at.clock.now_s - 3 * 86_400
        await at.store.impressed([shown(at, 1, (DAILY, 1), (WEEKLY, 1), at_s=old)], WINDOWS)
        assert (await count(at), await count(at, (WEEKLY, 1))) == (0, 1)
        await at.store.impressed([shown(at, 2, at_s=at.clock.now_s + 9_000)], WINDOWS)
        at.clock.pass_s(86_402)
        assert await count(at) == 0, "an event's clock that is ahead buys no longer hold"

    run(scenario)


def local(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type]  # a date's parts


@pytest.mark.parametrize(
    ("cap", "seen", "still", "over"),
    [
        # a day of 23 hours, and one of 25, in Berlin
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="Europe/Berlin"),
            local("Europe/Berlin", 2024, 3, 31, 0, 0, 0),
            local("Europe/Berlin", 2024, 3, 31, 23, 59, 59),
            local("Europe/Berlin", 2024, 4, 1, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="Europe/Berlin"),
            local("Europe/Berlin", 2024, 10, 26, 23, 59, 59) + 1,
            local("Europe/Berlin", 2024, 10, 27, 23, 59, 59),
            local("Europe/Berlin", 2024, 10, 28, 0, 0, 0),
        ),
        # a midnight that is skipped (Santiago), and a half-hour zone
        (
            Cap(key="c", limit=1, unit="day", window="calendar", zone="America/Santiago"),
            local("America/Santiago", 2024, 9, 8, 1, 0, 0),
            local("America/Santiago", 2024, 9, 8, 23, 59, 59),
            local("America/Santiago", 2024, 9, 9, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="hour", window="calendar", zone="Asia/Kolkata"),
            local("Asia/Kolkata", 2024, 5, 5, 13, 0, 0),
            local("Asia/Kolkata", 2024, 5, 5, 13, 59, 59),
            local("Asia/Kolkata", 2024, 5, 5, 14, 0, 0),
        ),
        # weeks begin on Monday; two months are this one and the one before
        (
            Cap(key="c", limit=1, unit="week", window="calendar", zone="UTC"),
            local("UTC", 2024, 5, 6, 0, 0, 0),
            local("UTC", 2024, 5, 12, 23, 59, 59),
            local("UTC", 2024, 5, 13, 0, 0, 0),
        ),
        (
            Cap(key="c", limit=1, unit="month", count=2, window="calendar", zone="Australia/Lord_Howe"),
            local("Australia/Lord_Howe", 2023, 12, 1, 0, 0, 0),
            local("Australia/Lord_Howe", 2024, 1, 31, 23, 59, 59),
            local("Australia/Lord_Howe", 2024, 2, 1, 0, 0, 0),
        ),
    ],
)
def test_a_calendar_window_ends_with_its_period_in_its_zone(
    run: Run, cap: Cap, seen: int, still: int, over: int
) -> None:
    async def scenario(at: Stand) -> None:
        def windows() -> Windows:
            return Windows({1: window(cap, 1, at.clock.now)})

        at.clock.now = seen * SECOND
        await at.store.impressed([shown(at, 1, (1, 1))], windows())
        at.clock.now = still * SECOND + 999_999
        assert await count(at, (1, 1), windows()) == 1
        # the engine's clock a little behind, the store's over the edge: the store's decides
        behind = windows()
        at.clock.now = over * SECOND
        assert await count(at, (1, 1), windows()) == 0
        assert await count(at, (1, 1), behind) == 0

    run(scenario)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    cap = Cap(key="c", limit=1, unit="hour", window="calendar", zone="Europe/Berlin")
    first = local("Europe/Berlin", 2024, 10, 27, 2, 30, 0)
    one, two = (window(cap, 1, at * SECOND).since(at) for at in (first, first + 3_600))
    assert two - one == 3_600


def test_many_callers_of_two_replicas_never_exceed_the_limit_together(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        async def call(number: int) -> int:
            store = (at.store, at.other)[number % 2]
            counters = ((DAILY, number % 3), (WEEKLY, 0))
            refused = (await reserve(at, claim(number, *counters), store=store)).refused
            if not refused and number % 4:
                await store.impressed([shown(at, number, *counters)], WINDOWS)
            return 0 if refused else number

        served = [number for number in await asyncio.gather(*map(call, range(1, 121))) if number]
        assert len(served) == 3
        counted = counts_of(await at.store.counted(ANNA))
        assert counted[WEEKLY, 0] == 3
        assert all(n <= WINDOWS[cap].limit for (cap, _), n in counted.items())

    run(scenario)


def test_holders_do_not_touch_each_other_and_can_be_merged_and_forgotten(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        visit = Holder(ANNA.name, session=True)
        await at.store.impressed([shown(at, 1), shown(at, 2, holder=visit), shown(at, 1, holder=visit)], WINDOWS)
        assert (await count(at), await count(at, holder=visit)) == (1, 2)
        await at.store.merge(visit, ANNA)
        assert (await count(at), await count(at, holder=visit)) == (2, 0)
        await at.store.merge(visit, ANNA)
        await at.store.forget(ANNA)
        assert await count(at) == 0

    run(scenario)


def test_what_is_kept_of_a_holder_is_bounded(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        ever = Windows({1: Window(1, 1_000, 0xFFFF_FFFF)})
        await at.store.impressed([shown(at, n, (1, n)) for n in range(MOST_ROWS + 10)], ever)
        rows = list(unpacked((await at.store.counted(ANNA)).rows))
        assert (len(rows), rows[0][3]) == (MOST_ROWS, 10)

    run(scenario)


def test_an_answer_takes_back_what_tired_and_no_cap_forgets(run: Run) -> None:
    async def scenario(at: Stand) -> None:
        windows = Windows({**WINDOWS, 1: Window(1, 99, 9_999, most=3), 2: Window(2, 99, 9_999)})
        for mark in range(1, 6):
            await at.store.impressed([shown(at, mark, (DAILY, mark), (1, mark), (2, 0))], windows)
        await at.other.answered(ANNA, (1, 4))
        await at.other.answered(ANNA, (1, 1))
        rows = [row[:2] for row in unpacked((await at.store.counted(ANNA)).rows)]
        assert [row for row in rows if row[0] == 1] == [(1, 3), (1, 5)], "the latest three, less what was answered"
        assert [row for row in rows if row[0] == 2] == [(2, 0)] * 4
        assert [row for row in rows if row[0] == DAILY] == [(DAILY, mark) for mark in range(1, 6)]

    run(scenario)


def test_the_memory_store_is_bounded() -> None:
    async def main() -> None:
        at = Stand(store := MemoryCaps(Clock(), max_holders=200), store, Clock())
        for number in range(202):
            await store.impressed([shown(at, 1, holder=Holder(str(number)))], WINDOWS)
        kept = [bool((await store.counted(Holder(str(number)))).rows) for number in range(202)]
        assert sum(kept) == 200
        assert kept[-1]

    asyncio.run(main())


def test_a_session_is_forgotten_a_day_after_and_a_lifetime_is_kept(redis_url: str) -> None:
    async def main() -> None:
        at = stand("redis", redis_url)
        client = at.store._client  # type: ignore[attr-defined]  # the server's own word on what it keeps
        ever = Windows({1: Window(1, 9, 0xFFFF_FFFF)})
        visit = Holder("v", session=True)
        await at.store.impressed([shown(at, 1, (1, 1), holder=visit), shown(at, 1, (1, 1))], ever)
        await at.store.impressed([shown(at, 2)], WINDOWS)
        assert 0 < await client.ttl("fairlead:caps:s:v") <= 86_400 + KNOWN_S
        assert await client.ttl(f"fairlead:caps:p:{ANNA.name}") == -1
        await at.store.close()
        await at.other.close()

    asyncio.run(main())


def test_without_a_clock_of_its_own_the_server_tells_the_time(redis_url: str) -> None:
    async def main() -> None:
        store = RedisCaps(redis_url, timeout_s=10.0)
        assert (await store.reserve(ANNA, [claim(1), claim(2)], WINDOWS, for_s=60)).refused == ()
        found = await store.counted(ANNA)
        assert counts_of(found) == {(DAILY, 1): 2}
        assert abs(found.now_s - int(datetime.now(ZoneInfo("UTC")).timestamp())) <= 2
        await store.close()

    asyncio.run(main())


# the twins

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
