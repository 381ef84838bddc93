"""Sampling scorers: what is logged is the probability that it claims to be, however rules, caps and pins interfere."""

import math
from collections import Counter

import numpy as np
import pytest

from scoring_core.explore import explore, mixed, picked, seeded
from scoring_core.scorers.draws import BetaDraw, EpsilonDraw, NormalDraw
from scoring_core.scorers.protocol import Draw, Floats

MILLION = 1_000_000
CLICKED = np.array([3.0, 9.0, 20.0, 1.0, 40.0, 2.0])
SHOWN = np.array([40.0, 100.0, 250.0, 3.0, 500.0, 60.0])
MEANS = (1 + CLICKED) / (2 + SHOWN)


def beta(floor: float = 0.0) -> BetaDraw:
    return BetaDraw(1 + CLICKED, 1 + SHOWN - CLICKED, MEANS, floor)


def within(counts: Floats, chances: Floats) -> None:
    error = np.sqrt(chances * (1 - chances) / MILLION)
    assert (np.abs(counts / MILLION - chances) <= 3 * error + 1e-12).all()


def test_chances_equal_a_million_posterior_draws() -> None:
    rng = np.random.Generator(np.random.PCG64(11))
    best = rng.beta(1 + CLICKED, 1 + SHOWN - CLICKED, (MILLION, 6)).argmax(axis=1)
    within(np.bincount(best, minlength=6), beta().chances(np.arange(6), MEANS))


def test_boosted_chances_equal_a_million_draws_of_boosted_odds() -> None:
    rng = np.random.Generator(np.random.PCG64(12))
    factor = np.array([1.0, 1.5, 1.0, 0.5, 1.0, 3.0])
    drawn = rng.beta(1 + CLICKED, 1 + SHOWN - CLICKED, (MILLION, 6))
    best = (factor * drawn / (1 - drawn)).argmax(axis=1)
    within(np.bincount(best, minlength=6), beta().chances(np.arange(6), MEANS * factor))


def test_normal_chances_equal_a_million_draws() -> None:
    rng = np.random.Generator(np.random.PCG64(13))
    deviation = np.array([0.02, 0.05, 0.01, 0.2, 0.01, 0.08])
    best = rng.normal(MEANS, deviation, (MILLION, 6)).argmax(axis=1)
    within(np.bincount(best, minlength=6), NormalDraw(deviation, 0.0).chances(np.arange(6), MEANS))


@pytest.mark.parametrize("epsilon", [0.0, 0.2])
def test_a_million_numbers_pick_by_the_mixed_chances(epsilon: float) -> None:
    chances = mixed(beta().chances(np.arange(6), MEANS), epsilon)
    counts = np.bincount(picked(chances, np.random.Generator(np.random.PCG64(14)).random(MILLION)), minlength=6)
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)
    within(counts, chances)


@pytest.mark.parametrize("draw", [beta(), beta(0.05), EpsilonDraw(0.3)], ids=("thompson", "floored", "epsilon"))
@pytest.mark.parametrize(("epsilon", "pins"), [(0.0, {}), (0.1, {1: 4})], ids=str)
def test_slates_are_as_likely_as_they_say(draw: Draw, epsilon: float, pins: dict[int, int]) -> None:
    rng, greedy, draws = seeded(15), (-MEANS).argsort(kind="stable"), 4_000
    seen = [explore(greedy, 2, epsilon=epsilon, rng=rng, pins=pins, values=MEANS, draw=draw) for _ in range(draws)]
    counts = Counter(slate.rows for slate in seen)
    claimed = {slate.rows: math.prod(slate.propensity) for slate in seen}
    assert sum(claimed.values()) == pytest.approx(1.0, abs=0.02)
    for rows, chance in claimed.items():
        assert abs(counts[rows] / draws - chance) <= 4 * math.sqrt(chance * (1 - chance) / draws) + 2 / draws


def test_who_is_left_out_is_never_drawn_and_pins_are_certain() -> None:
    left = np.array([0, 2, 5])
    slates = [
        explore(left, 3, epsilon=0.2, rng=seeded(seed), pins={0: 5}, values=MEANS, draw=beta()) for seed in range(200)
    ]
    assert {slate.rows[0] for slate in slates} == {5}
    assert {frozenset(slate.rows) for slate in slates} == {frozenset({0, 2, 5})}
    assert {(slate.propensity[0], slate.propensity[2]) for slate in slates} == {(1.0, 1.0)}


def test_explored_names_the_slots_where_another_than_the_best_stands() -> None:
    greedy = (-MEANS).argsort(kind="stable")
    slates = [
        explore(greedy, 1, epsilon=0.0, rng=seeded(seed), pins={}, values=MEANS, draw=beta()) for seed in range(99)
    ]
    assert all((slate.rows[0] != greedy[0]) == (0 in slate.explored) for slate in slates)
    assert {0 in slate.explored for slate in slates} == {True, False}


def test_a_floor_keeps_everyone_in_play() -> None:
    chances = BetaDraw(np.array([900.0, 1.0]), np.array([100.0, 999.0]), np.array([0.9, 0.001]), 0.01)
    assert chances.chances(np.arange(2), np.array([0.9, 0.001])).tolist() == pytest.approx([0.99, 0.01])
    assert beta(0.2).chances(np.arange(6), MEANS).tolist() == pytest.approx([1 / 6] * 6)


def test_nothing_without_a_chance_is_picked() -> None:
    chances = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    assert set(picked(chances, np.linspace(0.0, np.nextafter(1.0, 0.0), 1_001)).tolist()) == {1, 3}
