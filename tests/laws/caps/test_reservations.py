"""What every store of impression counts promises of reservations, and of impressions that turn them into counts."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

from storage.hot.caps import KNOWN_S, Window, Windows
from storage.hot.caps_redis import RedisCaps
from tests.laws.caps.stands import (
    ANNA,
    BRAND,
    DAILY,
    WEEKLY,
    WINDOWS,
    Run,
    Stand,
    claim,
    count,
    counts_of,
    reserve,
    shown,
)


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


def test_without_a_clock_of_its_own_the_server_tells_the_time(redis_url: str) -> None:
    async def main() -> None:
        store = RedisCaps(redis_url, timeout_s=10.0)
        assert (await store.reserve(ANNA, [claim(1), claim(2)], WINDOWS, for_s=60)).refused == ()
        found = await store.counted(ANNA)
        assert counts_of(found) == {(DAILY, 1): 2}
        assert abs(found.now_s - int(datetime.now(ZoneInfo("UTC")).timestamp())) <= 2
        await store.close()

    asyncio.run(main())
