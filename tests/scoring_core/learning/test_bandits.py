"""The linear bandit: least squares of closed windows, kept, loaded and put to work; regret no worse than others'."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.bandits import DELAY, TOLERANCE, compared, ratio
from scoring_core.learning.bandits import Ridge, train_linear_bandit
from scoring_core.models import load_scorer
from scoring_core.scorers.linear import LinearScorer
from storage import registry
from storage.errors import Invalid, Unavailable
from storage.records.clock import DAY
from tests.worlds import START, fill, lake_at, taste

NOW = START + 30 * DAY


@pytest.fixture
def lake(home):
    return lake_at(home)


@pytest.fixture
def trained(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(6_000, 3))
    return train_linear_bandit(sqlite_database, lake, home, now=NOW, seed=7, arms="")


def test_it_is_registered_with_what_it_came_from(trained, sqlite_database):
    assert trained.kind == "linear_bandit"
    assert trained.lineage["trained"]["to"] < trained.lineage["held_out"]["from"]
    assert trained.evaluation["verdict"] in {"better", "no difference", "worse", "unknown"}
    with sqlite_database.read() as read:
        assert registry.models(read) == [trained]


def test_it_loads_and_is_the_ridge_solution(trained, home):
    scorer = load_scorer(trained, home).scorer
    assert isinstance(scorer, LinearScorer)
    table = np.random.Generator(np.random.PCG64(1)).normal(size=(50, len(scorer.features)))
    vectors = scorer.design.vectors(table)
    mean, deviation = scorer.expected(table)
    np.testing.assert_allclose(mean, vectors @ scorer.theta[0], atol=1e-12)
    spread = np.einsum("ij,jk,ik->i", vectors, scorer.inverse[0], vectors)
    np.testing.assert_allclose(deviation, scorer.noise * np.sqrt(spread), rtol=1e-9)


def test_arms_have_a_model_each(sqlite_database, lake, home, trained):
    each = train_linear_bandit(sqlite_database, lake, home, now=NOW + 1, seed=7, arms="item.item_id")
    scorer = load_scorer(each, home).scorer
    assert isinstance(scorer, LinearScorer)
    assert len(scorer.theta) == len(each.categories["item.item_id"]) + 1
    assert not scorer.theta[0].any()
    row = np.zeros((2, len(scorer.features)))
    row[:, scorer.design.arm] = 0.0, np.nan
    _, deviation = scorer.expected(row)
    assert deviation[1] > deviation[0]


def test_items_have_a_model_each_where_the_data_can_bear_it(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(700, 3))
    scarce = train_linear_bandit(sqlite_database, lake, home, now=NOW, seed=7)
    assert (scarce.parameters["arms"], "item.kind" in scarce.features) == ("", True)
    fill(sqlite_database, lake, taste(700, 4), log="more")
    plenty = train_linear_bandit(sqlite_database, lake, home, now=NOW + 1, seed=7)
    assert (plenty.parameters["arms"], "item.kind" in plenty.features) == ("item.item_id", False)


def test_rows_that_are_trusted_less_teach_less():
    vectors, arms = np.eye(2), np.zeros(2, dtype=np.int64)
    outcomes = np.array([1.0, 0.0])
    plain, doubtful = Ridge(2), Ridge(2)
    plain.learn(vectors, arms, outcomes)
    doubtful.learn(vectors, arms, outcomes, np.array([0.5, 1.0]))
    assert plain.solved()[0][0].tolist() == [0.5, 0.0]
    assert doubtful.solved()[0][0].tolist() == pytest.approx([0.5 / 1.5, 0.0])


def test_other_files_than_were_registered_are_refused(trained, home):
    path = home / trained.path / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(Unavailable, match=r"damaged|not those"):
        load_scorer(trained, home)


def test_too_little_and_arms_that_are_none_are_refused(sqlite_database, lake, home):
    with pytest.raises(Invalid, match="too little"):
        train_linear_bandit(sqlite_database, lake, home, now=NOW, seed=1)
    fill(sqlite_database, lake, taste(3_000, 3))
    with pytest.raises(Invalid, match="arms must be a category"):
        train_linear_bandit(sqlite_database, lake, home, now=NOW, seed=1, arms="item.unheard")


def test_what_was_learned_in_parts_is_what_was_learned_at_once():
    rng = np.random.Generator(np.random.PCG64(3))
    vectors, outcomes, arms = rng.normal(size=(60, 4)), rng.normal(size=60), rng.integers(0, 3, 60)
    whole, parts = Ridge(4, arms=2), Ridge(4, arms=2)
    whole.learn(vectors, arms, outcomes)
    for start in range(0, 60, 7):
        piece = slice(start, start + 7)
        parts.learn(vectors[piece], arms[piece], outcomes[piece])
    for one, other in zip(whole.solved(), parts.solved(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    assert not whole.moment[0].any()
    np.testing.assert_allclose(whole.solved_of(2)[0], whole.solved()[0][2])


def test_rows_weigh_alike_whatever_their_propensity(trained, sqlite_database, lake, home, tmp_path):
    assert trained.lineage["weights"].startswith("none")
    assert replace(trained, version="x").digest == trained.digest


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "delay"),
    [
        ("thompson", 0),
        ("epsilon_greedy", 0),
        ("linucb", DELAY),
        ("linear_thompson", 0),
    ],
)
@pytest.mark.timeout(600)
def test_regret_is_within_a_tenth_of_mabwisers(name, delay):
    ours, theirs = compared(name, delay=delay)
    found, low, _ = ratio(ours, theirs)
    assert found <= TOLERANCE, (found, low)


def test_linucb_is_mabwisers_to_the_last_choice():
    ours, theirs = compared("linucb", seeds=3, rounds=60, delay=7)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
