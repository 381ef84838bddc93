"""Kept distributions: the same however the values came, small, in order, without rare names."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from storage.distributions import FEWEST_NAMED, MOST, Distribution, align, merge, of_levels, of_numbers, pack, unpack

SECRET = b"of one installation"
NUMBERS = st.lists(st.one_of(st.floats(), st.integers(-5, 5).map(float), st.floats(1.7e9, 1.7e9 + 3_600)), max_size=60)


def same(first: Distribution, second: Distribution) -> bool:
    return (
        (first.kind, first.drop, first.missing) == (second.kind, second.drop, second.missing)
        and np.array_equal(first.keys, second.keys)
        and np.array_equal(first.counts, second.counts)
    )


@settings(max_examples=80)
@given(parts=st.lists(NUMBERS, min_size=1, max_size=4), order=st.randoms())
def test_numbers_merge_to_what_all_of_them_give(parts, order):
    whole = of_numbers(np.array([value for part in parts for value in part]))
    order.shuffle(parts)
    assert same(merge(of_numbers(np.array(part)) for part in parts), whole)
    assert whole.rows == sum(map(len, parts))


@settings(max_examples=8)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 9_000), max_size=3))
def test_many_numbers_merge_to_what_all_of_them_give(seed, cuts):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(size=6_000), rng.integers(0, 9, 2_000), rng.lognormal(9.0, 3.0, 1_000)])
    whole = of_numbers(values)
    assert same(merge(of_numbers(part) for part in np.split(rng.permutation(values), sorted(cuts))), whole)
    assert (len(whole.keys) <= MOST) and (whole.drop > 0)


@settings(max_examples=10)
@given(seed=st.integers(0, 99), parts=st.integers(1, 3))
def test_texts_merge_to_what_all_of_them_give(seed, parts):
    data = np.random.default_rng(seed).integers(0, 40, (parts, 3_000))
    names = [f"level {each}" for each in range(3_000)]
    whole = of_levels(names, np.sum(data, axis=0), secret=SECRET)
    assert same(merge(of_levels(names, part, secret=SECRET) for part in data), whole)


@settings(max_examples=60)
@given(values=NUMBERS)
def test_few_numbers_are_kept_exactly_and_in_order(values):
    kept = sorted({value + 0.0 for value in values if np.isfinite(value)})
    assert of_numbers(np.array(values)).values().tolist() == kept


def test_distances_between_kept_distributions_are_those_of_the_values():
    rng = np.random.default_rng(1)
    for first, second in (
        (rng.normal(size=20_000), rng.normal(0.3, 1.2, 20_000)),
        (rng.lognormal(sigma=2.0, size=20_000), rng.lognormal(0.2, 2.0, 20_000)),
        (1.7e9 + rng.random(20_000) * 3_600, 1.7e9 + rng.random(20_000) * 4_000),
    ):
        kept = align(of_numbers(first), of_numbers(second))
        distance = wasserstein_distance(*(each.values() for each in kept), *(each.counts for each in kept))
        assert abs(distance / wasserstein_distance(first, second) - 1.0) < 0.01


def test_packing_loses_nothing():
    found = {
        "x": of_numbers(np.random.default_rng(2).normal(size=5_000)),
        "y": of_levels(["a", "b", None], [100, 5, 3], secret=SECRET),
        "empty": of_numbers(np.empty(0)),
    }
    back = unpack(pack(found))
    assert all(same(back[name], each) and back[name].names == each.names for name, each in found.items())
    assert len(pack({"x": found["x"]})) < 8_000


def test_rare_texts_are_not_named_and_another_secret_gives_other_keys():
    found = of_levels(["rare", "often"], [FEWEST_NAMED - 1, FEWEST_NAMED], secret=SECRET)
    assert list(found.names.values()) == ["often"]
    assert b"rare" not in pack({"x": found})
    other = of_levels(["rare", "often"], [FEWEST_NAMED - 1, FEWEST_NAMED], secret=b"of another one")
    assert not np.array_equal(other.keys, found.keys)
