"""PSI, its null, and the two lights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from governance.checks.shift import (
    MISSING,
    OTHER,
    Binned,
    benjamini_hochberg,
    bin_categories,
    bin_numbers,
    judge,
    null_scale,
    psi,
)


def red(shift) -> bool:
    return bool(shift.statistical and shift.material)


@pytest.mark.parametrize(("reference", "current"), [(500, 500), (1_000, 1_000), (20_000, 600)])
def test_the_null_has_the_mean_and_the_tail_that_it_is_given(reference, current):
    rng = np.random.default_rng(0)
    draws = [psi(rng.multinomial(reference, [0.1] * 10), rng.multinomial(current, [0.1] * 10)) for _ in range(4_000)]
    scaled = np.array(draws) / null_scale(reference, current)
    assert scaled.mean() == pytest.approx(9, rel=0.04)
    assert np.percentile(scaled, 99) == pytest.approx(chi2.ppf(0.99, 9), rel=0.08)


@pytest.mark.parametrize(("reference", "current"), [(500, 500), (5_000, 500)])
def test_twenty_features_without_drift_give_no_red_light(reference, current):
    """At most one audit in a hundred in truth; 4 of 100 is beyond the 99th percentile of that."""
    rng = np.random.default_rng(1)
    lit = 0
    for _ in range(100):
        features = []
        for _ in range(10):
            numbers = rng.normal(size=reference + current)
            features.append(bin_numbers(numbers[:reference], numbers[reference:]))
            shares = rng.dirichlet(np.ones(12))
            counts = rng.multinomial(reference, shares), rng.multinomial(current, shares)
            features.append(bin_categories([str(level) for level in range(12)], *counts))
        lit += any(red(shift) for shift in judge(features))
    assert lit <= 4


def test_a_psi_of_a_fifth_is_found_among_twenty_features():
    rng = np.random.default_rng(2)
    found, sizes = 0, []
    for _ in range(100):
        drifted = bin_numbers(rng.normal(size=1_000), rng.normal(0.44, 1.0, 1_000))
        calm = [bin_numbers(rng.normal(size=1_000), rng.normal(size=1_000)) for _ in range(19)]
        shift = judge([drifted, *calm])[0]
        sizes.append(shift.psi)
        found += red(shift)
    assert np.mean(sizes) == pytest.approx(0.2, abs=0.03)
    assert found >= 95


def test_a_tiny_shift_in_many_rows_is_statistical_and_not_material():
    rng = np.random.default_rng(3)
    shift = judge([bin_numbers(rng.normal(size=100_000), rng.normal(0.05, 1.0, 100_000))])[0]
    assert (shift.statistical, shift.material) == (True, False)


def test_below_five_hundred_rows_neither_light_speaks():
    shift = judge([bin_numbers(np.zeros(10_000), np.ones(499))])[0]
    assert (shift.statistical, shift.material) == (None, None)
    empty = judge([bin_numbers(np.empty(0), np.empty(0))])[0]
    assert (empty.statistical, empty.psi) == (None, 0.0)


def test_a_constant_column_does_not_drift():
    shift = judge([bin_numbers(np.ones(1_000), np.ones(1_000))])[0]
    assert (shift.psi, shift.p, red(shift)) == (0.0, 1.0, False)


def test_values_that_go_missing_are_drift():
    rng = np.random.default_rng(4)
    gone = rng.normal(size=2_000)
    gone[:800] = np.nan
    binned = bin_numbers(rng.normal(size=2_000), gone)
    assert red(judge([binned])[0])
    assert binned.current[binned.bins.index(MISSING)] == 800


def test_a_new_category_is_named_and_rare_ones_are_put_together():
    binned = bin_categories(["a", "b", None, "c"], np.array([500, 498, 2, 0]), np.array([300, 300, 1, 399]))
    assert binned.new == ("c",)
    assert set(binned.bins) == {"a", "b", "c", OTHER}
    assert binned.reference.sum() == 1_000
    assert red(judge([binned])[0])


@settings(max_examples=60)
@given(
    reference=st.lists(st.integers(0, 300), min_size=1, max_size=40),
    data=st.data(),
)
def test_binning_loses_no_row(reference, data):
    current = data.draw(st.lists(st.integers(0, 300), min_size=len(reference), max_size=len(reference)))
    levels = [f"l{place}" for place in range(len(reference))]
    binned = bin_categories(levels, np.array(reference), np.array(current))
    assert (binned.reference.sum(), binned.current.sum()) == (sum(reference), sum(current))
    assert len(binned.bins) == len(binned.reference) == len(binned.current) <= 81
    judge([binned])


@settings(max_examples=60)
@given(
    numbers=st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=2, max_size=80),
    cut=st.floats(0, 1),
)
def test_binning_numbers_loses_no_row(numbers, cut):
    values = np.array(numbers)
    place = int(cut * len(values))
    binned = bin_numbers(values[:place], values[place:])
    assert (binned.reference.sum(), binned.current.sum()) == (place, len(values) - place)
    assert len(binned.bins) == len(binned.reference)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_values_keep_the_order_and_never_shrink(p):
    values = np.array(p)
    adjusted = benjamini_hochberg(values)
    assert (adjusted >= values - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(values, kind="stable")]) >= -1e-15).all()


def test_judging_nothing_gives_nothing():
    assert judge([]) == []
    assert judge([Binned(bins=("a",), reference=np.array([900]), current=np.array([900]))])[0].psi == 0.0
