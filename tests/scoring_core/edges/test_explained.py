"""Every scorer is explained exactly on a running engine, with each item's chance where the order is drawn."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.records.policies import PolicyState, ScorerChoice, Source
from tests.scoring_core.edges.running import POLICY, SNAPSHOT, Running, install, running

BLEND = {"parts": [{"weight": 2.0, "scorer": {"name": "thompson"}}, {"scorer": {"name": "formula"}}]}
SCORERS = {
    "popular": ({}, {"stat.popularity"}),
    "thompson": ({}, {"stat.impressions", "stat.clicks"}),
    "epsilon_greedy": ({"epsilon": 0.3}, {"stat.impressions", "stat.clicks"}),
    "formula": ({}, {"match", "trend", "inventory", "margin", "freshness", "season"}),
    "hybrid": (BLEND, {"thompson", "formula"}),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("explained")
    made = install(home)
    with running(made) as engine:
        for number in range(12):
            events = [{"type": "impression", "item": f"item-{number}", "subject": f"u-{turn}"} for turn in range(9)]
            events += [
                {"type": "click", "item": f"item-{number}", "subject": f"u-{turn}"} for turn in range(number % 5)
            ]
            assert engine.client.post("/v1/events", json=events).status_code == 202
        engine.until(lambda: not engine.replica.popularity.waiting())
        yield engine
    made.database.close()


@pytest.mark.parametrize("name", SCORERS)
def test_what_is_said_adds_up_to_the_score(engine: Running, name: str) -> None:
    parameters, parts = SCORERS[name]
    policy = replace(POLICY, scorer=ScorerChoice(name=name, parameters=parameters), sources=(Source(name="catalogue"),))
    states = {"home": PolicyState(key="home", surface="home", stable=1, versions={1: policy})}
    wanted = engine.installed.publish(SNAPSHOT, policies=states).revision
    engine.until(lambda: engine.client.get("/readyz").json()["revision"] == wanted)
    answer = engine.decide(subject="u-1", slots=5)
    explained = engine.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").json()
    assert explained["attributions"] == "exact", explained
    for shown, item in zip(answer["items"], explained["items"], strict=True):
        assert item["score"] == shown["score"]
        assert item["sum"] == pytest.approx(shown["score"], abs=1e-9)
        assert item["propensity"] == shown["propensity"]
        assert {one["feature"] for one in item["contributions"]} <= parts
    assert any(item["contributions"] for item in explained["items"])
    verdict = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert verdict["verdict"] == "exact", verdict


def test_a_scorer_without_attributions_says_so(engine: Running) -> None:
    policy = replace(POLICY, scorer=ScorerChoice(name="null"))
    states = {"home": PolicyState(key="home", surface="home", stable=1, versions={1: policy})}
    wanted = engine.installed.publish(SNAPSHOT, policies=states).revision
    engine.until(lambda: engine.client.get("/readyz").json()["revision"] == wanted)
    answer = engine.decide(subject="u-1", candidates=["item-2", "item-1"])
    explained = engine.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").json()
    assert (explained["attributions"], explained["attributions_reason"]) == ("none", "this scorer has no attributions")
