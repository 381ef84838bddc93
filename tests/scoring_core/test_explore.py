"""Exploration: every logged propensity is the probability that it claims to be."""

import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.explore import Choice, Slate, explore, likelihood, seed_of, seeded

DRAWS = 120_000


def slates(
    greedy: list[int], slots: int, *, epsilon: float, pins: dict[int, int], draws: int, seed: int
) -> list[Slate]:
    rng = seeded(seed)
    order = np.array(greedy)
    return [explore(order, slots, epsilon=epsilon, rng=rng, pins=pins) for _ in range(draws)]


@pytest.mark.parametrize(
    ("epsilon", "pins"), [(0.05, {}), (0.3, {}), (1.0, {}), (0.4, {1: 2}), (0.2, {0: 3, 2: 0})], ids=str
)
def test_propensities_equal_their_frequencies(epsilon: float, pins: dict[int, int]) -> None:
    seen = slates([2, 0, 3, 1], 3, epsilon=epsilon, pins=pins, draws=DRAWS, seed=7)
    counts = Counter(slate.rows for slate in seen)
    claimed = {slate.rows: math.prod(slate.propensity) for slate in seen}
    assert sum(claimed.values()) == pytest.approx(1.0, abs=0.005)
    for rows, chance in claimed.items():
        error = math.sqrt(chance * (1 - chance) / DRAWS)
        assert abs(counts[rows] / DRAWS - chance) <= 3 * error + 1e-12, (rows, chance)


@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_each_slot_given_the_slots_before(epsilon: float) -> None:
    seen = slates([0, 1, 2, 3, 4], 2, epsilon=epsilon, pins={}, draws=DRAWS, seed=8)
    for first in range(5):
        after = [slate for slate in seen if slate.rows[0] == first]
        for slate in {slate.rows: slate for slate in after}.values():
            chance = slate.propensity[1]
            share = sum(each.rows[1] == slate.rows[1] for each in after) / len(after)
            assert abs(share - chance) <= 3.5 * math.sqrt(chance * (1 - chance) / len(after)) + 1e-12


def everything(greedy: tuple[int, ...], slots: int, epsilon: float) -> dict[tuple[int, ...], float]:
    """The formula of the design, written out: (1 − ε)·[greedy] + ε/n at each slot."""
    found = {}
    for rows in permutations(greedy, min(slots, len(greedy))):
        left, chance = list(greedy), 1.0
        for row in rows:
            chance *= (1 - epsilon) * (row == left[0]) + epsilon / len(left)
            left.remove(row)
        found[rows] = chance
    return found


@given(st.integers(1, 6), st.integers(1, 4), st.floats(0, 1), st.integers(0, 2**63 - 1))
def test_the_product_is_the_slates_propensity(count: int, slots: int, epsilon: float, seed: int) -> None:
    greedy = tuple(reversed(range(count)))
    slate = explore(np.array(greedy), slots, epsilon=epsilon, rng=seeded(seed), pins={})
    assert math.prod(slate.propensity) == pytest.approx(everything(greedy, slots, epsilon)[slate.rows])
    assert sum(everything(greedy, slots, epsilon).values()) == pytest.approx(1.0)


@given(
    st.integers(0, 8),
    st.integers(0, 8),
    st.floats(0, 1),
    st.dictionaries(st.integers(0, 7), st.integers(0, 7), max_size=4),
)
def test_slates_are_whole(count: int, slots: int, epsilon: float, wanted: dict[int, int]) -> None:
    taken: set[int] = set()
    pins = {}
    for slot, row in wanted.items():
        if slot < slots and row < count and row not in taken:
            pins[slot] = row
            taken.add(row)
    slate = explore(np.arange(count), slots, epsilon=epsilon, rng=seeded(3), pins=pins)
    assert len(slate.rows) == len(set(slate.rows)) == len(slate.propensity) == min(count, slots)
    assert all(0.0 < each <= 1.0 + 1e-12 for each in slate.propensity) or epsilon == 0.0
    for slot, row in pins.items():
        assert row in slate.rows
        assert slate.propensity[slate.rows.index(row)] == 1.0
        if slot < len(slate.rows) and slot not in slate.pinned:
            raise AssertionError("a pinned slot was drawn")


def test_without_exploration_the_order_is_certain() -> None:
    slate = explore(np.array([3, 1, 2]), 2, epsilon=0.0, rng=seeded(1), pins={})
    assert slate == Slate((3, 1), (1.0, 1.0))


def test_a_pin_moves_up_where_rows_run_out() -> None:
    slate = explore(np.array([0, 1]), 5, epsilon=0.5, rng=seeded(1), pins={4: 0})
    assert slate.rows == (1, 0)
    assert slate.propensity == (1.0, 1.0)


def test_the_last_row_left_is_certain() -> None:
    slate = explore(np.array([0, 1]), 2, epsilon=0.37, rng=seeded(1), pins={})
    assert slate.propensity[1] == 1.0


@given(st.integers(0, 2**63 - 1))
def test_a_seed_is_read_back_and_gives_the_same_draws(seed: int) -> None:
    rng = seeded(seed)
    assert seed_of(rng) == seed
    assert rng.random(3).tolist() == seeded(seed).random(3).tolist()


def chosen(count: int, *, epsilon: float, pins: dict[int, int] | None = None) -> Choice:
    greedy = np.random.default_rng(count).permutation(count)
    values = np.zeros(count)
    values[greedy] = np.arange(count, 0, -1)
    return Choice(np.arange(count) + 100, greedy, 3, epsilon, pins or {}, values)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
@pytest.mark.parametrize("pins", [{}, {1: 0}])
@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.7])
def test_the_likelihood_of_its_own_choice_is_the_propensity_of_it(count, pins, epsilon) -> None:
    choice = chosen(count, epsilon=epsilon, pins=pins)
    for seed in range(40):
        slate = explore(choice.greedy, 3, epsilon=epsilon, rng=seeded(seed), pins=pins, values=choice.values)
        shown = choice.ordinals[np.array(slate.rows, dtype=np.int64)].tolist()
        assert likelihood(choice, shown) == slate.propensity


def test_the_likelihoods_of_every_slate_sum_to_one() -> None:
    choice = chosen(4, epsilon=0.3)
    total = sum(np.prod(likelihood(choice, shown)) for shown in permutations(choice.ordinals.tolist(), 3))
    assert total == pytest.approx(1.0)


def test_what_could_not_stand_there_has_no_likelihood() -> None:
    choice = chosen(4, epsilon=0.3, pins={0: 2})
    assert likelihood(choice, [100, 999])[0] == 0.0
    assert likelihood(choice, [102, 999, 100, 101]) == (1.0, 0.0, likelihood(choice, [102, 999, 100])[2], 0.0)
