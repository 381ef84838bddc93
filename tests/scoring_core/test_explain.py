"""Attributions at the edges; that they sum to the score is tested where a model is trained."""

import numpy as np

from scoring_core.explain import attribute
from tests.scoring_core.scorers.test_trees import scorer, text


def test_no_rows_have_no_attributions():
    ours = scorer(text(1))
    found = attribute(ours, np.empty((0, 5)))
    assert found.base.shape == (0,)
    assert found.contributions.shape == (0, 5)


def test_a_feature_that_no_tree_asks_adds_nothing():
    ours = scorer(text(1, trees=1, num_leaves=2), text(2, trees=1, num_leaves=2))
    asked = set(ours.forest.feature.tolist())
    found = attribute(ours, np.random.default_rng(0).normal(size=(30, 5)))
    silent = [column for column in range(5) if column not in asked]
    assert silent
    assert not found.contributions[:, silent].any()
    assert np.unique(found.base).size == 1
