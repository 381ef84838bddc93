"""From a policy's words to a scorer: what is refused, what decides, and that every decision of it replays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as altered

from scoring_core.compile import compile_live
from scoring_core.live import Live, Model
from scoring_core.replay import replay
from scoring_core.scorers.choice import RECIPES, choice_problems
from scoring_core.scorers.hybrid import Bundle
from storage.records.decisions import Decision
from storage.records.items import Catalogue
from storage.records.models import Calibration
from storage.records.policies import Exploration, ScorerChoice
from tests.laws.test_scorers import MODELS
from tests.scoring_core.world import catalogue, decided, policy, statistics, world

POLICIES: dict[str, dict[str, Any]] = {
    "formula": {"weights": {"match": 0.0, "margin": 1.0}},
    "thompson": {"prior_failures": 20.0},
    "epsilon_greedy": {"epsilon": 0.4},
    "linucb": {"model": "linear"},
    "linear_thompson": {"model": "arms", "floor": 0.01},
    "plugin": {"plugin": "dear"},
    "hybrid": {
        "parts": [
            {"scorer": {"name": "gbdt", "parameters": {"model": "ranker"}}},
            {"scorer": {"name": "linucb", "parameters": {"model": "linear"}}, "weight": 0.5},
            {"scorer": {"name": "formula"}},
            {"scorer": {"name": "plugin", "parameters": {"plugin": "dear"}}},
        ]
    },
}


def counted() -> Any:
    """Item statistics with whole counts, as engines keep them."""
    found = statistics()
    values = found.values.copy()
    values[:, 0] = np.round(values[:, 0] * 500) + 1
    values[:, 1] = np.floor(values[:, 0] * values[:, 1] * 0.2)
    return replace(found, values=values)


def priced() -> Catalogue:
    stock = catalogue()
    items = tuple(
        replace(item, attributes={**item.attributes, "margin": place / 12}, stock=place + 1, created_at=1)
        for place, item in enumerate(stock.items)
    )
    return Catalogue(version=stock.version, items=items)


def live_of(name: str, **changes: Any) -> Live:
    scorer = ScorerChoice(name=name, parameters=POLICIES[name])
    document = replace(policy(exploration=Exploration(epsilon=0.1)), scorer=scorer)
    made = world(document, items=counted(), stock=priced(), **changes)
    return compile_live(made.snapshot, made.consent, models=MODELS, shelf=made.shelf, items=made.items)


def kept(record: Decision) -> Model | None:
    """The model that a record names, as an engine's history gives it."""
    if record.model is None:
        return None
    names = record.model.split("+")
    if len(names) == 1:
        return MODELS[names[0]]
    return Model(Bundle({name: MODELS[name] for name in names}), Calibration())


@pytest.mark.parametrize("name", POLICIES)
def test_it_decides_and_every_decision_replays(name: str) -> None:
    live = live_of(name)
    parts = {"snapshot": live.snapshot, "shelf": live.shelf, "items": live.items}
    records = [decided(live, seed=seed) for seed in range(20)]
    assert {record.served_by for record in records} == {"model"}
    assert {record.scorer for record in records} == {name}
    for record in records:
        assert replay(record, model=kept(record), **parts).verdict == "exact"
    if records[0].model is not None:
        assert replay(records[0], model=None, **parts).verdict == "unavailable"


@pytest.mark.parametrize("name", ["thompson", "epsilon_greedy", "linear_thompson"])
def test_another_seed_another_slate_and_a_changed_one_is_found(name: str) -> None:
    live = live_of(name)
    records = [decided(live, seed=seed) for seed in range(60)]
    assert len({record.items for record in records}) > 1
    assert all(0.0 < chance <= 1.0 for record in records for chance in record.propensity)
    parts = {"snapshot": live.snapshot, "shelf": live.shelf, "items": live.items, "model": kept(records[0])}
    assert replay(altered(records[0], rng_seed=records[0].rng_seed + 1), **parts).verdict == "mismatch"
    turned = (records[0].propensity[0] / 2, *records[0].propensity[1:])
    assert replay(altered(records[0], propensity=turned), **parts).verdict == "mismatch"


def test_a_record_names_every_trained_model_of_a_blend() -> None:
    record = decided(live_of("hybrid"))
    assert record.model == "ranker+linear+plugin.dear"
    assert record.model_version == "7+3+1.0"
    assert record.confidence_reason == "no_ensemble"


def test_what_is_not_in_service_leaves_the_ladder() -> None:
    live = live_of("hybrid")
    fewer = compile_live(
        live.snapshot, live.consent, models={"ranker": MODELS["ranker"]}, shelf=live.shelf, items=live.items
    )
    record = decided(fewer)
    assert (record.served_by, record.reason) == ("fallback", "model_missing")
    parts = {"snapshot": live.snapshot, "shelf": live.shelf, "items": live.items}
    assert replay(record, model=None, **parts).verdict == "exact"


@pytest.mark.parametrize("name", RECIPES)
def test_a_parameter_that_no_scorer_takes_is_named(name: str) -> None:
    found = choice_problems(ScorerChoice(name=name, parameters={**POLICIES.get(name, {}), "nonsense": 1}))
    assert "parameters.nonsense" in {problem.field for problem in found}


@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("best", {}, "name"),
        ("gbdt", {}, "parameters.model"),
        ("formula", {"weights": {"match": -1.0}}, "parameters.weights.match"),
        ("formula", {"weights": {"luck": 1.0}}, "parameters.weights"),
        (
            "formula",
            {"weights": dict.fromkeys(("match", "trend", "inventory", "margin", "freshness", "season"), 0.0)},
            "parameters.weights",
        ),
        ("formula", {"match_by": "item.price"}, "parameters.match_by"),
        ("thompson", {"prior_successes": 0.0}, "parameters.prior_successes"),
        ("epsilon_greedy", {"epsilon": 1.5}, "parameters.epsilon"),
        ("linucb", {"alpha": 1.0}, "parameters.model"),
        ("hybrid", {"parts": []}, "parameters.parts"),
        ("hybrid", {"parts": [{"weight": 1.0}]}, "parameters.parts.0"),
        ("hybrid", {"parts": [{"retriever": "als", "scorer": {"name": "null"}}]}, "parameters.parts.0"),
        ("hybrid", {"parts": [{"scorer": {"name": "hybrid"}}]}, "parameters.parts.0.scorer"),
        ("hybrid", {"parts": [{"scorer": {"name": "gbdt"}}]}, "parameters.parts.0.scorer.parameters.model"),
        ("plugin", {"plugin": "unheard-of"}, "parameters.plugin"),
        ("plugin", {"plugin": "dear", "settings": {"factor": "much"}}, "parameters.settings"),
    ],
)
def test_what_an_author_must_mend(name: str, parameters: dict[str, Any], field: str) -> None:
    found = choice_problems(ScorerChoice(name=name, parameters=parameters), MODELS)
    assert field in {problem.field for problem in found}
    assert not any("nonsense" in problem.message for problem in found)


@pytest.mark.parametrize("name", POLICIES)
def test_what_may_be_saved(name: str) -> None:
    assert choice_problems(ScorerChoice(name=name, parameters=POLICIES[name]), MODELS) == ()
