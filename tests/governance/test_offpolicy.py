"""Off-policy estimates: the formulas, what clipping and missing support do, the words, and how often intervals hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.crossfit import Choices
from governance.offpolicy import estimate
from governance.support import Weights, judged
from storage.errors import Invalid

SEED = 7
DRAWS = 300


def world(rng, n, *, sharp=0.5, rate=1.5, choices=6):
    """Contexts, a soft logging policy, a target of another temperature, rewards; and the target's true value."""
    x = rng.normal(size=(n, 3))
    tastes = np.random.default_rng(1).normal(size=(3, choices))
    liking = x @ tastes
    logged, target = np.exp(0.3 * liking), np.exp(sharp * liking)
    logged, target = (each / each.sum(axis=1, keepdims=True) for each in (logged, target))
    chance = 1 / (1 + np.exp(rate - 0.6 * liking))
    made = (logged.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    rows = np.arange(n)
    reward = (rng.random(n) < chance[rows, made]).astype(float)
    return x, made, reward, logged[rows, made], target[rows, made], target, float((target * chance).sum(axis=1).mean())


def test_the_estimators_are_their_formulas() -> None:
    reward = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    logged, target = np.array([0.5, 0.25, 0.2, 0.8, 0.5]), np.array([0.25, 0.5, 0.4, 0.8, 0.1])
    weights = target / logged
    found = estimate(reward, logged, target, seed=SEED, draws=DRAWS)
    assert found.ips is not None
    assert found.snips is not None
    assert found.ips.value == pytest.approx((weights * reward).mean(), rel=1e-12)
    assert found.snips.value == pytest.approx((weights * reward).sum() / weights.sum(), rel=1e-12)
    assert found.ess == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-12)
    assert (found.mean_weight, found.max_weight) == pytest.approx((weights.mean(), weights.max()), rel=1e-12)
    assert found.lift["ips"].value == pytest.approx(found.ips.value - reward.mean(), rel=1e-12)
    assert found.dr is None
    assert found.clipped_share == found.unsupported_share == 0.0


def test_the_same_policy_is_worth_what_was_logged() -> None:
    _, _, reward, logged, *_ = world(np.random.default_rng(2), 2_000)
    found = estimate(reward, logged, logged, seed=SEED, draws=DRAWS)
    assert found.verdict == "supported"
    assert found.ess == pytest.approx(2_000)
    assert found.ips is not None
    assert found.ips.value == pytest.approx(reward.mean())
    assert found.lift["snips"].value == pytest.approx(0.0, abs=1e-12)


def test_rows_that_the_log_could_not_have_made_are_counted_and_left_out() -> None:
    _, _, reward, logged, target, *_ = world(np.random.default_rng(3), 1_000)
    logged[:50] = 0.0
    found = estimate(reward, logged, target, seed=SEED, draws=DRAWS)
    assert (found.n, found.unsupported_share) == (950, pytest.approx(0.05))


def test_clipping_is_shown_and_judged() -> None:
    _, _, reward, logged, target, *_ = world(np.random.default_rng(4), 3_000, sharp=1.5)
    plain = estimate(reward, logged, target, seed=SEED, draws=DRAWS)
    clipped = estimate(reward, logged, target, seed=SEED, draws=DRAWS, clip=2.0)
    weights = target / logged
    assert clipped.ips is not None
    assert clipped.ips.value == pytest.approx((np.minimum(weights, 2.0) * reward).mean())
    assert clipped.max_weight == 2.0
    assert clipped.clipped_share == pytest.approx((weights > 2.0).mean())
    assert clipped.clipped_weight == pytest.approx(1 - np.minimum(weights, 2.0).sum() / weights.sum())
    assert clipped.ess > plain.ess
    assert clipped.verdict == "worthless"
    assert "clip" in clipped.sentence


@pytest.mark.parametrize(
    ("numbers", "verdict", "word"),
    [
        ((5_000, 2_000.0, 1.0, 0.01), "supported", "supports"),
        ((5_000, 80.0, 1.0, 0.2), "thin", "about 1,250 more rows"),
        ((50_000, 300.0, 1.0, 0.2), "thin", "500 are needed"),
        ((5_000, 4.0, 1.0, 0.9), "worthless", "hangs on about 4"),
        ((5_000, 2_000.0, 0.7, 0.05), "worthless", "about 30%"),
        ((5_000, 2_000.0, 1.3, 0.05), "worthless", "Check how they were recorded"),
        ((40, 30.0, 1.0, 0.1), "thin", "at least 100"),
        ((0, 0.0, float("nan"), float("nan")), "worthless", "No row"),
    ],
)
def test_a_verdict_is_refused_in_words_that_say_what_to_do(numbers, verdict, word) -> None:
    n, ess, mean, error = numbers
    found, sentence = judged(Weights(n=n, ess=ess, mean=mean, error=error))
    assert found == verdict
    assert word in sentence


def test_a_target_outside_the_log_is_worthless() -> None:
    reward, logged = np.ones(1_000), np.full(1_000, 0.5)
    nowhere = estimate(reward, logged, np.zeros(1_000), seed=SEED, draws=DRAWS)
    half = estimate(reward, logged, np.full(1_000, 0.25), seed=SEED, draws=DRAWS)
    assert (nowhere.verdict, half.verdict) == ("worthless", "worthless")
    assert nowhere.ips is None
    assert "never did" in half.sentence


def test_a_model_of_the_reward_narrows_the_interval_where_it_knows_something() -> None:
    rng = np.random.default_rng(6)
    x, made, _, logged, target, every, _ = world(rng, 4_000, sharp=1.2)
    reward = 0.5 + 0.4 * np.tanh(2 * x[:, 0]) + 0.05 * rng.normal(size=4_000)
    found = estimate(
        reward, logged, target, seed=SEED, draws=DRAWS, features=x, choices=Choices(made, every), rewards=(-1.0, 2.0)
    )
    assert found.dr is not None
    assert found.ips is not None
    assert found.dr.high - found.dr.low < 0.8 * (found.ips.high - found.ips.low)
    assert found.best == ("dr", found.dr)


def test_intervals_and_bounds_hold_as_often_as_they_say() -> None:
    *_, truth = world(np.random.default_rng(9), 400_000)
    held = {"ips": 0, "snips": 0, "dr": 0, "least": 0, "most": 0}
    runs = 60
    for run in range(runs):
        x, _, reward, logged, target, *_ = world(np.random.default_rng(100 + run), 600)
        found = estimate(reward, logged, target, seed=run, draws=DRAWS, features=x)
        for name in ("ips", "snips", "dr"):
            interval = getattr(found, name)
            held[name] += interval.low <= truth <= interval.high
        assert found.bounds is not None
        held["least"] += found.bounds[0] <= truth
        held["most"] += found.bounds[1] >= truth
    assert all(runs * 0.85 <= held[name] <= runs for name in ("ips", "snips", "dr")), held
    assert min(held["least"], held["most"]) >= runs * 0.95


def test_rows_of_one_unit_are_drawn_together() -> None:
    rng = np.random.default_rng(8)
    _, _, reward, logged, target, *_ = world(rng, 500)
    five = [np.repeat(each, 5) for each in (reward, logged, target)]
    alone = estimate(reward, logged, target, seed=SEED, draws=2_000)
    together = estimate(*five, seed=SEED, draws=2_000, units=np.repeat(np.arange(500), 5))
    fooled = estimate(*five, seed=SEED, draws=2_000)
    assert alone.ips is not None
    assert together.ips is not None
    assert fooled.ips is not None
    width = alone.ips.high - alone.ips.low
    assert together.ips.value == pytest.approx(alone.ips.value)
    assert together.ips.high - together.ips.low == pytest.approx(width, rel=0.1)
    assert fooled.ips.high - fooled.ips.low < 0.6 * width


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(0.01, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=60)
)
def test_whatever_the_rows_numbers_stay_within_what_can_be(rows) -> None:
    reward, logged, target = (np.array(each) for each in zip(*rows, strict=True))
    found = estimate(reward, logged, target, seed=SEED, draws=40)
    assert 0.0 <= found.ess <= len(rows) + 1e-6
    for interval in (found.snips, found.logged):
        if interval is not None:
            assert interval.low <= interval.value <= interval.high
    if found.bounds is not None:
        assert found.bounds[0] >= 0.0
        assert found.bounds[1] <= 1.0


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [(0, np.nan, "reward"), (1, -0.1, "logged"), (1, 1.5, "logged"), (2, np.inf, "target"), (2, 2.0, "target")],
)
def test_what_is_no_number_or_no_probability_is_refused(column, value, word) -> None:
    columns = [np.ones(3), np.full(3, 0.5), np.full(3, 0.5)]
    columns[column][1] = value
    with pytest.raises(Invalid, match=word):
        estimate(*columns, seed=SEED)


def test_the_document_has_what_the_table_command_promises() -> None:
    x, _, reward, logged, target, *_ = world(np.random.default_rng(5), 1_000)
    told = estimate(reward, logged, target, seed=SEED, draws=DRAWS, features=x).document()
    assert {"n", "ips", "snips", "dr", "ess", "mean_weight", "max_weight", "unsupported_share", "clipped_share"} <= set(
        told
    )
    assert set(told["intervals"]) == {"ips", "snips", "dr", "level", "method", "draws"}
    assert told["verdict"] == "supported"
