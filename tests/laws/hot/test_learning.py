"""What every hot store promises of signals: seen at once, in their time, none lost, and learned anew."""

import asyncio
from dataclasses import replace

import pytest

from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore, Signal
from storage.records.clock import SECOND
from storage.records.consent import Consented
from tests.laws.hot.stores import Make, liked, run, signal, statement, told, values, vector


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
