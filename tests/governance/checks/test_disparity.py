"""The verdict on groups: Fairlearn's numbers, rare false flags, enough power where it says so."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.checks.disparity import disparity, null_tables
from storage.records.proportions import wilson

RATE = np.array([0.0, 1.0])
WORLDS = 200
DRAWS = 500


def rates(clicks, sizes) -> np.ndarray:
    clicks, sizes = np.asarray(clicks), np.asarray(sizes)
    return np.column_stack([sizes - clicks, clicks])


def audit(counts, *, seed=0, values=RATE, **options):
    counts = np.asarray(counts)
    names = [f"g{place}" for place in range(counts.shape[-2])]
    return disparity(names, counts, values, rng=np.random.default_rng(seed), **options)


def worlds(true_rates, sizes, *, seed=1, **options) -> Counter:
    rng = np.random.default_rng(seed)
    return Counter(
        audit(rates(rng.binomial(sizes, true_rates), sizes), seed=world, draws=DRAWS, **options).outcome
        for world in range(WORLDS)
    )


@pytest.mark.parametrize(
    ("true_rates", "sizes"),
    [
        ([0.02] * 5, [1_000] * 5),
        ([0.005] * 4, [30_000, 20_000, 5_000, 600]),
        ([0.3] * 3, [200, 150, 120]),
    ],
)
def test_equal_groups_are_rarely_flagged(true_rates, sizes):
    """At most 5 % in truth; 17 of 200 is the 99th percentile of what such a rate gives."""
    assert worlds(true_rates, sizes)["shown"] <= 17


def test_a_whole_audit_of_equal_groups_is_rarely_flagged():
    """Four comparisons, one family: at least one flag in at most 5 % of the audits."""
    rng = np.random.default_rng(3)
    sizes, flagged = np.full(5, 1_000), 0
    for world in range(100):
        flagged += any(
            audit(rates(rng.binomial(sizes, 0.02), sizes), seed=4 * world + metric, family=4, draws=DRAWS).outcome
            == "shown"
            for metric in range(4)
        )
    assert flagged <= 11


@pytest.mark.parametrize(("rate", "groups"), [(0.02, 5), (0.1, 3)])
def test_a_true_ratio_of_seven_tenths_is_found_at_the_stated_size(rate, groups):
    size = 1_000
    first = audit(rates([round(size * rate)] * groups, [size] * groups))
    assert first.outcome == "inconclusive"
    enough = [size + first.needed] * groups
    found = worlds([0.7 * rate, *[rate] * (groups - 1)], enough)
    assert found["shown"] >= 0.8 * WORLDS - 2 * np.sqrt(WORLDS * 0.16)


def test_a_clear_disparity_names_its_group():
    found = audit(rates([100, 200, 200], [5_000] * 3))
    assert found.outcome == "shown"
    assert [group.group for group in found.groups if group.named] == ["g0"]
    low = found.groups[0]
    assert low.ratio == pytest.approx(0.5)
    assert low.ratio_low < 0.5 < low.ratio_high < 0.8
    assert found.needed is None


def test_where_one_group_alone_gets_more_it_is_the_one_that_is_named():
    found = audit(rates([150, *[100] * 6], [5_000] * 7))
    assert found.outcome == "shown"
    assert [group.group for group in found.groups if group.named] == ["g0"]


def test_a_small_difference_that_is_certain_is_not_flagged():
    found = audit(rates([45_000, 50_000], [500_000] * 2))
    assert found.p < 0.05
    assert found.outcome == "not_shown"


def test_small_groups_are_listed_and_not_judged():
    found = audit(rates([20, 0, 25], [1_000, 30, 1_000]))
    assert [group.too_small for group in found.groups] == [False, True, False]
    assert found.groups[1].p is None
    assert found.groups[1].needed == 70
    assert found.ratio == pytest.approx(0.8)


@pytest.mark.parametrize(
    "counts",
    [
        [[500, 0], [700, 0]],
        [[500, 3]],
        [[20, 1], [30, 2]],
        [[0, 0], [0, 0]],
    ],
)
def test_where_nothing_can_be_compared_the_answer_is_inconclusive(counts):
    found = audit(counts)
    assert found.outcome == "inconclusive"
    assert found.p is None or found.p == 1.0


def test_everyone_treated_the_same_in_everything_is_no_disparity():
    found = audit([[900], [400]], values=np.array([1.0]))
    assert (found.outcome, found.ratio, found.p) == ("not_shown", 1.0, None)


@settings(max_examples=60)
@given(
    counts=st.lists(st.lists(st.integers(0, 400), min_size=3, max_size=3), min_size=1, max_size=5),
    seed=st.integers(0, 1_000),
)
def test_any_counts_give_a_verdict_whose_intervals_hold_their_values(counts, seed):
    found = audit(counts, seed=seed, values=np.array([1.0, 0.63, 0.5]))
    assert found.outcome in {"shown", "not_shown", "inconclusive"}
    for group in found.groups:
        if group.ratio is not None:
            assert group.ratio_low <= group.ratio <= group.ratio_high
        if group.p is not None:
            assert 0 < group.p <= 1


@settings(max_examples=30)
@given(counts=st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=2, max_size=4))
def test_null_tables_keep_both_margins(counts):
    table = np.array(counts)
    drawn = null_tables(table, 20, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == table.sum(axis=0)).all()
    assert (drawn.sum(axis=2) == table.sum(axis=1)).all()
    assert (drawn >= 0).all()


def test_wilson_of_none_and_all():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0


def test_rows_of_few_owners_count_as_fewer():
    counts = rates([300, 400], [4_000, 4_000])
    alone, alike = audit(counts), audit(counts, inflation=np.array([40.0, 40.0]))
    assert alone.outcome == "shown"
    assert alike.outcome == "inconclusive"
    assert alike.p > alone.p
    assert alike.needed > 0
    assert alike.groups[0].value == alone.groups[0].value
    assert alike.groups[0].high - alike.groups[0].low > 3 * (alone.groups[0].high - alone.groups[0].low)


def test_groups_are_compared_within_strata_only():
    """Simpson's world: the group gets less only because it is mostly where everyone gets less."""
    busy, quiet = rates([90, 810], [300, 2_700]), rates([135, 15], [2_700, 300])
    apart = audit(busy + quiet)
    assert apart.outcome == "shown"
    held = audit(np.stack([busy, quiet]))
    assert held.outcome != "shown"
    assert [group.adjusted for group in held.groups] == pytest.approx([0.175, 0.175])
    assert held.groups[0].ratio == pytest.approx(1.0)
    assert held.groups[0].value == pytest.approx(apart.groups[0].value)
    shifted = audit(np.stack([rates([45, 810], [300, 2_700]), rates([67, 15], [2_700, 300])]))
    assert shifted.outcome == "shown"
    assert shifted.groups[0].named


def test_one_stratum_is_no_stratum():
    counts = rates([100, 130, 90], [2_000, 2_200, 1_800])
    assert audit(counts[None]) == audit(counts)


def test_the_clearest_finding_among_many_comparisons_still_names_its_groups():
    clicks = [20] * 4 + [200] * 16
    found = audit(rates(clicks, [5_000] * 20), family=60)
    assert found.outcome == "shown"
    assert [group.group for group in found.groups if group.named] == ["g0", "g1", "g2", "g3"]
