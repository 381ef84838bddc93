"""Forecasts of people: they find what there is, say so where there is nothing, and refuse what is too little."""

from dataclasses import replace

import numpy as np
import pytest

from scoring_core.learning import churn, next_action, value
from scoring_core.learning.forecasts import cuts_of
from scoring_core.learning.people import features_at
from storage.errors import Invalid
from storage.records.clock import DAY, HOUR

from .crowds import START, acts_of, crowd


@pytest.fixture(scope="module")
def people():
    return crowd()


@pytest.fixture(scope="module")
def aimless():
    return crowd(400, told=False)


def test_cuts_never_reach_over_a_later_kind(people):
    cuts = cuts_of(people, 30.0)
    assert max(cuts.fit) + cuts.horizon <= cuts.calibrate
    assert cuts.calibrate + cuts.horizon <= cuts.held_out
    assert cuts.held_out + cuts.horizon == people.at[-1] + 1
    assert cuts_of(people, 300.0).horizon == (people.at[-1] + 1 - people.at[0]) // 6


def test_churn_beats_when_one_was_last_seen_and_its_probability_is_one(people):
    found = churn.learn_churn(people, seed=1)
    against = found.evaluation["rules"]["last seen"]
    assert against["verdict"] == "better"
    assert against["difference_low"] > 0.0
    assert found.calibration.error is not None
    assert found.calibration.error < 0.08
    told = found.model.tell(found.held_out.features)
    assert ((told >= 0.0) & (told <= 1.0)).all()
    assert churn.learn_churn(people, seed=1).trees == found.trees


def test_where_nothing_tells_who_stays_no_model_claims_to(aimless):
    found = churn.learn_churn(aimless, seed=1)
    assert {rule["verdict"] for rule in found.evaluation["rules"].values()} <= {"no_better", "worse"}
    assert not found.evaluation["sentence"].startswith("Better")
    assert found.calibration.status == "unproven"


def test_value_is_in_the_currency_of_the_log(people):
    found = value.learn_value(people, seed=1)
    assert found.evaluation["predicted"] == pytest.approx(found.evaluation["spent"], rel=0.35)
    assert found.evaluation["rank"] > 0.3
    assert found.evaluation["rival"] in value.RULES


def test_next_action_gives_probabilities(people):
    found = next_action.learn_next_action(people, seed=1)
    said = found.model.tell(found.held_out.features)
    assert np.allclose(said.sum(axis=1), 1.0)
    assert found.evaluation["rules"]["what everyone does"]["verdict"] == "better"
    assert found.classes == ("nothing", "view", "purchase")


def test_factors_are_shares_of_what_is_said(people):
    found = churn.learn_churn(people, seed=1)
    one = found.held_out.features[0]
    factors = found.model.factors(one, most=100)
    baseline = found.model.booster.predict(one[None], pred_contrib=True)[0][-1]
    said = float(found.model.raw(one[None])[0])
    assert sum(each.contribution for each in factors) + baseline == pytest.approx(np.log(said / (1 - said)), abs=1e-6)
    assert abs(factors[0].contribution) >= abs(factors[-1].contribution)


def test_too_little_is_refused_with_what_is_missing():
    one = [(person, START + person * HOUR, "view", 0, 0.0) for person in range(5)]
    with pytest.raises(Invalid, match="5 people with acts, 100 are the least"):
        churn.learn_churn(acts_of(one, people=5), seed=1)
    at_once = [(person, START, "view", 0, 0.0) for person in range(120)]
    for learn in (churn.learn_churn, value.learn_value, next_action.learn_next_action):
        with pytest.raises(Invalid, match="too little"):
            learn(acts_of(at_once, people=120), seed=1)


def test_value_where_nobody_pays_is_refused(people):
    free = replace(people, value=np.zeros(len(people)))
    with pytest.raises(Invalid, match="nobody spent anything"):
        value.learn_value(free, seed=1)


def test_the_first_act_after_the_moment_is_the_next(people):
    rows = [(0, START, "view", 0, 0.0), (0, START + DAY, "purchase", 0, 1.0), (1, START + 3 * DAY, "view", 0, 0.0)]
    acts = acts_of(rows, people=2)
    classes = ("nothing", "view", "purchase")
    assert next_action.first_after(acts, START + 1, START + 2 * DAY, np.array([0, 1]), classes).tolist() == [2.0, 0.0]
    habits = next_action.habits_at(acts, START + 2 * DAY, np.array([0]), classes)
    assert habits[0].tolist() == [0.0, 0.5, 0.5, 0.0, 0.0, 1.0]
    assert features_at(acts, START + 2 * DAY, np.array([0])).shape[0] == 1
