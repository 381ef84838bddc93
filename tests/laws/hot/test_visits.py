"""What every hot store promises of visits: items seen, sessions, counters, and visitors who turn out to be somebody."""

from dataclasses import replace

from storage.hot.protocol import HotStore, Signal
from storage.records.clock import SECOND
from storage.records.consent import Consented
from storage.records.subjects import COUNTERS, MOST_RECENT, SESSION_GAP_S
from tests.laws.hot.stores import Make, counted, liked, recent, run, statement, told, vector


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
