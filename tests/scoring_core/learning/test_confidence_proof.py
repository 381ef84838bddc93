"""Confidence against truths that are known: its error is within what is claimed, and proof is not given for nothing."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import confidence
from benchmarks.confidence import WORLDS, World, observed, true_error
from collectors.open_bandit import fetch_wheel, import_open_bandit
from scoring_core.learning.calibrate import words
from scoring_core.learning.datasets import feature_table
from scoring_core.learning.evaluate import compare, concordance, popularity
from scoring_core.learning.train import prepare, train
from scoring_core.models import load_scorer
from storage.errors import Unavailable
from storage.records.clock import DAY
from tests.worlds import START, lake_at


def test_the_true_error_is_within_the_claimed_bound_and_what_is_proven_is_true():
    for name in ("knows", "members alike"):
        for seed in range(4):
            found = observed(WORLDS[name], seed)
            error = true_error(WORLDS[name], found, 1_000 + seed)
            assert found.status == "proven"
            assert error <= found.error_high <= confidence.MAX_ERROR


def test_members_that_know_nothing_are_not_proven_by_luck():
    world = World(rows=16_000, signal=0.0)
    verdicts = [observed(world, seed).status for seed in range(40)]
    assert "uncalibrated" not in verdicts
    assert verdicts.count("proven") <= 2


def test_where_outcomes_are_few_it_says_how_many_are_missing():
    found = observed(WORLDS["few outcomes"], 1)
    assert found.status == "uncalibrated"
    assert found.outcomes_missing > 0
    assert f"about {found.outcomes_missing:,} more outcomes" in words(found)


def test_ranking_data_is_proven_where_it_is_enough_and_not_where_it_is_not(shared_data: Path, monkeypatch):
    monkeypatch.setattr(confidence, "DATA", shared_data)
    enough = confidence.ranking_data(grade=2)
    assert enough.status == "proven"
    assert enough.clicked_impressions > 1_000
    assert enough.error_low <= enough.error <= enough.error_high <= 0.05
    assert enough.skill_low > 0.0
    assert all(abs(each.predicted - each.observed) < 0.1 for each in enough.bins)
    few = confidence.ranking_data(grade=3)
    assert few.status == "uncalibrated"
    assert few.outcomes_missing == 1_000 - few.clicked_impressions


@pytest.mark.e2e
def test_of_the_open_bandit_data_nothing_is_claimed_that_it_does_not_carry(sqlite_database, home: Path):
    named = os.environ.get("FAIRLEAD_OBP_WHEEL")
    try:
        path = Path(named) if named else fetch_wheel(home)
    except Unavailable as error:
        pytest.skip(f"the Open Bandit wheel is not here and cannot be downloaded: {error}")
    lake, now = lake_at(home), START + 900 * DAY
    import_open_bandit(sqlite_database, lake, wheel=path, now=now)
    prepared = prepare(sqlite_database, lake, now=now, origins=("imported",))
    held_out = prepared.held_out
    rival = popularity(prepared.past, len(prepared.shelf.catalogue.items))[held_out.ordinal]
    for seed in (1, 2):
        model = train(sqlite_database, lake, home, now=now + seed, seed=seed)
        assert model.calibration.status == "uncalibrated"
        assert f"about {model.calibration.outcomes_missing:,} more outcomes" in model.evaluation["calibration"]
        table = feature_table(held_out, model.features, categories=model.categories, shelf=prepared.shelf)
        scores = load_scorer(model, home).scorer.score(table).values
        found = compare(held_out, scores, rival, against="popularity")
        drawn = []
        rng = np.random.default_rng(seed)
        for _ in range(300):
            rows = rng.integers(0, len(held_out), len(held_out))
            again = held_out.where(rows)
            ours, theirs = concordance(
                again.clicked, [scores[rows], rival[rows]], weight=again.weight, stratum=again.stratum
            ).values
            drawn.append(ours - theirs)
        low, high = np.percentile(drawn, (2.5, 97.5))
        width = found.difference_high - found.difference_low
        assert 0.75 * (high - low) < width < 1.35 * (high - low), "the interval is as wide as a bootstrap's"
        assert found.verdict == "no_better" or low > 0.0 or high < 0.0
        sentence = model.evaluation["sentence"]
        assert sentence.startswith("Not shown to be better than popularity") or low > 0.0 or high < 0.0
        assert not {"lift", "uplift", "improve", "gain"} & set(sentence.lower().split())
