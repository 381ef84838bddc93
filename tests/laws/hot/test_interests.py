"""What every hot store promises of interests, those learned and those stated."""

import numpy as np
import pytest

from storage.hot.protocol import HotStore
from storage.records.clock import SECOND
from storage.records.consent import Consented
from storage.records.subjects import MOST_INTERESTS, STATED_WEIGHT
from tests.laws.hot.stores import Make, liked, run, statement, told, values


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
