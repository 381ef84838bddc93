"""What every store of impression counts keeps of a holder, how much, and for how long."""

import asyncio

from storage.hot.caps import KNOWN_S, MOST_ROWS, Holder, Window, Windows, unpacked
from storage.hot.caps_memory import MemoryCaps
from tests.laws.caps.stands import ANNA, DAILY, WINDOWS, Clock, Run, Stand, count, shown, stand


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
