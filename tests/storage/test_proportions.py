"""The interval of a rate, held against SciPy's and published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from storage.records.proportions import wilson


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_scipys(counted):
    hits, n = counted
    theirs = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_published_figures():
    low, high = wilson(1, 10)
    assert (round(low, 3), round(high, 3)) == (0.018, 0.404)


def test_nothing_was_counted_and_more_hits_than_trials():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(12, 10) == (wilson(10, 10)[0], 1.0)
