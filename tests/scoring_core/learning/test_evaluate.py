"""Concordance, its interval, and what is said of a model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from scoring_core.learning.datasets import Examples
from scoring_core.learning.evaluate import compare, concordance, popularity


def examples(clicked, *, weight=None, stratum=None, ordinal=None, campaign=None) -> Examples:
    rows = len(clicked)
    return Examples(
        at=np.arange(rows),
        ordinal=np.zeros(rows, dtype=np.int64) if ordinal is None else ordinal,
        clicked=clicked,
        weight=np.ones(rows) if weight is None else weight,
        stratum=np.zeros(rows, dtype=np.int64) if stratum is None else stratum,
        campaign=np.full(rows, "men", dtype=object) if campaign is None else campaign,
        inputs=np.zeros(rows, dtype=np.int64),
        contexts=({},),
        users=(None,),
        dropped={},
    )


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31 - 1), rows=st.integers(10, 300), levels=st.integers(1, 20))
def test_one_stratum_is_the_weighted_area_under_the_curve(seed, rows, levels):
    rng = np.random.default_rng(seed)
    clicked = rng.random(rows) < 0.3
    clicked[:2] = True, False
    score, weight = rng.integers(0, levels, rows).astype(float), rng.random(rows) + 0.1
    found = concordance(clicked, [score], weight=weight, stratum=np.zeros(rows, dtype=np.int64))
    assert found.values[0] == pytest.approx(roc_auc_score(clicked, score, sample_weight=weight), abs=1e-12)


def test_pairs_never_cross_strata():
    clicked = np.array([True, False, True, False])
    score = np.array([1.0, 0.0, 11.0, 10.0])
    found = concordance(clicked, [score], weight=np.ones(4), stratum=np.array([0, 0, 1, 1]))
    assert found.values[0] == 1.0


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        clicked = rng.random(400) < 0.2
        score = rng.normal(size=400)
        found = concordance(clicked, [score], weight=rng.random(400) + 0.5, stratum=rng.integers(0, 3, 400))
        covered += abs(found.values[0] - 0.5) < 1.96 * np.sqrt(found.covariance[0, 0])
    assert 0.91 <= covered / 300 <= 0.98


def test_equal_scorers_differ_by_nothing():
    rng = np.random.default_rng(2)
    clicked, score = rng.random(500) < 0.2, rng.normal(size=500)
    found = compare(examples(clicked), score, score, against="itself")
    assert (found.difference, found.difference_low, found.difference_high) == (0.0, 0.0, 0.0)
    assert found.verdict == "no_better"
    assert found.sentence.startswith("Not shown to be better than itself")


def test_better_worse_and_unknown_are_told_apart():
    rng = np.random.default_rng(3)
    clicked = rng.random(2_000) < 0.2
    good, noise = clicked + rng.normal(size=2_000), rng.normal(size=2_000)
    assert compare(examples(clicked), good, noise, against="noise").verdict == "better"
    assert compare(examples(clicked), noise, good, against="the good one").verdict == "worse"
    nothing = compare(examples(np.zeros(50, dtype=bool)), np.zeros(50), np.zeros(50), against="popularity")
    assert nothing.verdict == "unknown"
    assert nothing.difference is None
    assert nothing.sentence.startswith("Not compared")


def test_popularity_is_the_weighted_rate_drawn_to_the_campaigns():
    ordinal = np.repeat([0, 1, 2], [1_000, 1_000, 1_000])
    clicked = np.zeros(3_000, dtype=bool)
    clicked[:300] = True
    campaign = np.array(["a"] * 2_000 + ["b"] * 1_000, dtype=object)
    rates = popularity(examples(clicked, ordinal=ordinal, campaign=campaign), 4)
    assert rates[0] == pytest.approx((300 + 100 * 0.15) / 1_100)
    assert rates[1] == pytest.approx(100 * 0.15 / 1_100)
    assert rates[2] == 0.0
    assert rates[3] == pytest.approx(0.1)
