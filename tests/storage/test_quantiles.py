"""Quantiles lie in the bucket of the true order statistic; merging sums, whatever the layouts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.quantiles import merge_layouts, minimum_count, quantile

EDGES = (0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
VALUES = st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=1_500)


def bucketed(values, edges=EDGES):
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[next((place for place, edge in enumerate(edges) if value <= edge), len(edges))] += 1
    return counts


@given(VALUES, st.floats(0.001, 0.999), st.integers(1, 4))
def test_a_merged_quantile_lies_in_the_bucket_of_the_order_statistic(values, q, replicas):
    parts = [bucketed(values[place::replicas]) for place in range(replicas)]
    edges, counts, coarse = merge_layouts([(EDGES, part) for part in parts])
    assert not coarse
    found = quantile(edges, counts, q)
    true = sorted(values)[max(math.ceil(round(q * len(values), 9)), 1) - 1]
    assert found.low is not None
    assert found.low <= true and (found.high is None or true <= found.high)
    if found.value is not None:
        assert found.high is not None and found.low <= found.value <= found.high
    assert (found.value is None) == (len(values) < minimum_count(q) or found.high is None)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sets(st.sampled_from(EDGES), min_size=1))
def test_different_layouts_meet_on_common_edges_and_lose_no_count(groups, shared):
    layouts = [tuple(sorted(shared | {EDGES[place % len(EDGES)]})) for place in range(len(groups))]
    merged = merge_layouts([(edges, bucketed(group, edges)) for edges, group in zip(layouts, groups, strict=True)])
    edges, counts, coarse = merged
    assert set(edges) == set.intersection(*map(set, layouts))
    assert counts == tuple(bucketed([value for group in groups for value in group], edges))
    assert coarse == (len(set(layouts)) > 1)


@pytest.mark.parametrize(
    ("counts", "q", "reason"),
    [
        ((0, 0), 0.5, "empty"),
        ((19, 0), 0.5, "few"),
        ((20, 0), 0.5, "ok"),
        ((199, 0), 0.95, "few"),
        ((200, 0), 0.95, "ok"),
        ((999, 0), 0.99, "few"),
        ((0, 1000), 0.99, "open"),
    ],
)
def test_no_number_without_enough_observations_or_an_upper_edge(counts, q, reason):
    found = quantile((5.0,), counts, q)
    assert (found.reason, found.value is None, found.n) == (reason, reason != "ok", sum(counts))
    if reason == "open":
        assert (found.low, found.high) == (5.0, None)


def test_the_value_is_interpolated_by_rank():
    assert quantile((1.0, 2.0), (20, 20, 0), 0.75).value == pytest.approx(1.5)


@pytest.mark.parametrize("q", [0.0, 1.0, -1.0])
def test_a_quantile_lies_strictly_inside(q):
    with pytest.raises(ValueError, match="strictly between"):
        quantile((1.0,), (1, 1), q)


def test_counts_and_edges_belong_together():
    with pytest.raises(ValueError, match="one count more"):
        quantile((1.0,), (1,), 0.5)
