"""Calibration: proven on a known truth, refused where the ensemble's agreement means nothing."""

import numpy as np
import pytest

from scoring_core.learning.calibrate import MIN_CLICKED, Pairs, agreement, calibrate, draw_pairs, words
from scoring_core.scorers.protocol import Scores
from tests.scoring_core.learning.test_evaluate import examples

MEMBERS = 10


def truth(rows: int, seed: int, *, signal: float = 1.0):
    """Impressions whose click odds follow a quality that the members see through noise (or not at all)."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=rows)
    clicked = rng.random(rows) < 1.0 / (1.0 + np.exp(3.2 - quality))
    noise = rng.normal(size=(rows, MEMBERS)) * 0.5 + rng.normal(size=(rows, 1)) * 0.5
    members = signal * quality[:, None] + noise
    weight = rng.choice([2.0, 40.0], rows)
    held_out = examples(clicked, weight=weight, stratum=rng.integers(0, 21, rows))
    return held_out, Scores(values=members.mean(axis=1), members=members)


def run(rows: int, seed: int, **options):
    held_out, scores = truth(rows, seed, **options)
    rng = np.random.Generator(np.random.PCG64(seed))
    return calibrate(draw_pairs(held_out, scores, rng), held_out_share=0.3, rng=rng)


def test_on_simulated_truth_it_is_proven():
    found = run(60_000, 1)
    assert found.status == "proven"
    assert words(found).startswith("Proven: calibration error 0.0")
    assert found.error_high <= 0.05
    assert found.skill_low > 0
    assert found.outcomes_missing == 0
    assert list(found.y) == sorted(found.y)
    assert 5 <= len(found.bins) <= 10
    assert sum(each.count for each in found.bins) == found.pairs
    assert all(abs(each.predicted - each.observed) < 0.05 for each in found.bins)


def test_members_that_know_nothing_are_never_proven():
    found = run(40_000, 2, signal=0.0)
    assert found.status == "unproven"
    assert found.skill_low <= 0
    assert found.outcomes_missing != 0
    assert words(found).startswith("Unproven, ")


def test_too_few_clicks_are_not_calibrated_and_the_missing_ones_are_counted():
    found = run(5_000, 3)
    assert found.status == "uncalibrated"
    assert found.x == found.y == found.bins == ()
    assert 0 < found.clicked_impressions < MIN_CLICKED
    assert found.outcomes_missing >= (MIN_CLICKED - found.clicked_impressions) / 0.3
    assert found.error is None
    assert words(found).endswith(f"about {found.outcomes_missing:,} more outcomes.")


def test_no_impressions_at_all():
    found = run(0, 4)
    assert (found.status, found.pairs, found.clicked_impressions) == ("uncalibrated", 0, 0)


def test_a_small_proof_says_how_many_more_outcomes_it_takes():
    rng = np.random.default_rng(5)
    raw = np.repeat(rng.integers(10, 21, 1_100) / 20.0, 2)
    won = (rng.random(2_200) < raw).astype(float)
    pairs = Pairs(
        raw=raw,
        won=won,
        weight=np.repeat(rng.choice([1.0, 100.0], 1_100), 2),
        cluster=np.repeat(np.arange(1_100), 2),
        clicked_impressions=1_100,
    )
    found = calibrate(pairs, held_out_share=0.5, rng=rng)
    assert found.status == "unproven"
    assert found.outcomes_missing is not None
    assert found.outcomes_missing > 0


def test_a_pair_is_turned_so_that_the_model_prefers_the_first():
    held_out = examples(np.array([True, False]))
    members = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 3.0]])
    scores = Scores(values=np.array([0.1, 0.2]), members=members)
    pairs = draw_pairs(held_out, scores, np.random.default_rng(0))
    assert set(pairs.raw) == {0.5}
    assert set(pairs.won) == {0.0}
    tied = Scores(values=np.zeros(2), members=members)
    assert len(draw_pairs(held_out, tied, np.random.default_rng(0))) == 0


def test_partners_are_drawn_by_their_weight_within_the_stratum():
    clicked = np.zeros(3_003, dtype=bool)
    clicked[:3_000] = True
    weight = np.ones(3_003)
    weight[3_001] = 3.0
    stratum = np.zeros(3_003, dtype=np.int64)
    stratum[3_002] = 1
    values = np.zeros(3_003)
    values[3_000:] = 1.0, 2.0, 9.0
    scores = Scores(values=values, members=np.column_stack([values, values > 1.5]))
    pairs = draw_pairs(examples(clicked, weight=weight, stratum=stratum), scores, np.random.default_rng(0))
    assert len(pairs) == 24_000
    assert np.mean(pairs.raw == 1.0) == pytest.approx(0.75, abs=0.02)


def test_agreement_counts_ties_half():
    first, second = np.array([[1.0, 1.0, 0.0, 2.0]]), np.array([[0.0, 1.0, 1.0, 1.0]])
    assert agreement(first, second).tolist() == [0.625]
