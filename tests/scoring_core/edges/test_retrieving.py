"""Trained factors and the hybrid at work in an engine: what they bring, what they feed the ranker, what replays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring_core.learning.factors import train_factors
from scoring_core.learning.hybrid import train_hybrid
from storage import catalogue, registry
from storage.lake import Lake
from storage.records import clock
from storage.records.clock import DAY
from storage.records.policies import PolicyState, ScorerChoice, Source
from tests.scoring_core.edges.running import INSTALLATION, POLICY, SNAPSHOT, Running, install, running
from tests.tastes import DAYS, EVENTS, ITEMS, KINDS, START, item, somebody, tell

SOURCES = (
    Source(name="hybrid", quota=4),
    Source(name="factors", quota=6),
    Source(name="content", quota=5),
    Source(name="popular", quota=20),
)
FOUND = replace(POLICY, sources=SOURCES, seen=("interest", "commitment"))
ORDERED = replace(FOUND, scorer=ScorerChoice(name="formula", parameters={"match_by": "model.hybrid"}))
NOW = START + DAYS * DAY


def policies(policy: Any, version: int = 1) -> dict[str, PolicyState]:
    return {"home": PolicyState(key="home", surface="home", stable=version, versions={version: policy})}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("shop")
    snapshot = replace(SNAPSHOT, installation=replace(INSTALLATION, events=EVENTS), policies=policies(FOUND))
    installed = install(home, count=0, snapshot=snapshot)
    lake = Lake(home / "lake")
    tell(installed.database, lake)
    models = [train(installed.database, lake, home, now=NOW, seed=1) for train in (train_factors, train_hybrid)]
    for model in models:
        assert model.evaluation["verdict"] == "better", model.evaluation
        with installed.database.write() as write:
            registry.promote(write, model.name, model.version)
    installed.publish(snapshot, models={model.name: model.version for model in models})
    with running(installed, lease_s=30.0) as engine:
        yield engine
    installed.database.close()


def visit(shop: Running, subject: str, *numbers: int) -> None:
    told = [{"type": "click", "item": item(number).item_id, "subject": subject} for number in numbers]
    assert shop.client.post("/v1/events", json=told).status_code in (200, 202)


def record(shop: Running, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shop.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    return found


def exact(shop: Running, answer: dict[str, Any]) -> bool:
    verdict = shop.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert verdict["verdict"] == "exact", verdict
    return True


def kinds(answer: dict[str, Any]) -> np.ndarray:
    return np.array([int(each["item"][1:]) % len(KINDS) for each in answer["items"]])


def test_a_decision_says_what_each_retriever_brought_and_replays(shop: Running) -> None:
    visit(shop, "anna", 1, 5, 9)
    answer = shop.decide(subject="anna", slots=20)
    told = record(shop, answer)
    assert told["sources"]["hybrid"] == 4
    assert 0 < told["sources"]["factors"] <= 6
    assert told["sources"]["content"] == 0
    assert told["sources"]["popular"] > 0
    assert set(told["retrievers"]) == {"hybrid", "factors"}
    assert not {item(number).item_id for number in (1, 5, 9)} & {each["item"] for each in answer["items"]}
    exact(shop, answer)


def test_who_is_unknown_gets_the_other_sources(shop: Running) -> None:
    answer = shop.decide(subject="nobody-yet", slots=5)
    told = record(shop, answer)
    assert (told["sources"]["hybrid"], told["sources"]["factors"]) == (0, 0)
    assert len(answer["items"]) == 5
    exact(shop, answer)


def test_who_refused_is_told_nothing_by_retrievers(shop: Running) -> None:
    visit(shop, "bert", 0, 4)
    shop.installed.say("bert", "denied")
    shop.until(lambda: shop.decide(subject="bert", slots=5)["served_by"] == "default")
    answer = shop.decide(subject="bert", slots=5)
    assert "hybrid" not in (record(shop, answer).get("sources") or {})


def test_the_affinity_orders_and_what_the_log_changes_moves_the_next_decision(shop: Running) -> None:
    installed = shop.installed
    with installed.database.read() as read:
        models = {name: model.version for name, model in registry.in_service(read).items()}
    snapshot = replace(SNAPSHOT, installation=replace(INSTALLATION, events=EVENTS), models=models)
    installed.publish(snapshot, policies=policies(ORDERED, 2))
    shop.until(lambda: record(shop, shop.decide(subject="cleo", slots=1))["version"] == 2)
    visit(shop, "cleo", 2, 6, 10)
    first = shop.decide(subject="cleo", slots=4)
    assert np.mean(kinds(first) == 2) >= 0.75
    visit(shop, "cleo", 3, 7, 11, 15, 19)
    second = shop.decide(subject="cleo", slots=4)
    assert np.mean(kinds(second) == 3) > np.mean(kinds(first) == 3)
    exact(shop, first)
    exact(shop, second)
    installed.publish(snapshot, policies=policies(FOUND, 3))
    shop.until(lambda: record(shop, shop.decide(subject="cleo", slots=1))["version"] == 3)


def test_an_item_younger_than_the_training_is_found_by_the_hybrid(shop: Running) -> None:
    visit(shop, "dora", 0, 4, 8)
    before = shop.decide(subject="dora", slots=20)
    with shop.installed.database.write() as write:
        catalogue.upsert(write, [item(ITEMS + number) for number in range(len(KINDS))], now=clock.now())
    shop.until(lambda: len(shop.replica.follower.live.shelf.catalogue.items) == ITEMS + len(KINDS))
    after = shop.decide(subject="dora", slots=20)
    hybrid = shop.replica.follower.live.retrievers["hybrid"]
    dora = somebody(0, 4, 8)
    values = hybrid.affinity(dora, np.arange(ITEMS, ITEMS + len(KINDS)))
    assert np.nanargmax(values) == 0
    assert np.isnan(shop.replica.follower.live.retrievers["factors"].affinity(dora, np.array([ITEMS]))).all()
    exact(shop, before)
    exact(shop, after)
