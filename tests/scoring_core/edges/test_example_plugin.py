"""The example package, really installed: its scorer, enricher, source and model decide on a running engine, and every
decision replays exactly."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scoring_core.learning.elsewhere import register_elsewhere
from scoring_core.plugins import installed
from storage import registry
from storage.errors import Invalid
from storage.records import clock
from storage.records.policies import Attribute, PolicyState, ScorerChoice, Source, Surface
from storage.records.rules import Rule
from tests.scoring_core.edges.packages import PICKS, install_example, on_path
from tests.scoring_core.edges.running import INSTALLATION, POLICY, SNAPSHOT, Running, install, running

HOME = Surface(key="home", context={"latitude": Attribute(type="number")}, max_slots=20)
BUDGET = replace(
    POLICY,
    scorer=ScorerChoice(name="plugin", parameters={"plugin": "budget", "settings": {"amount": 7.0}}),
    sources=(
        Source(name="caller"),
        Source(name="plugin", model="picks", quota=3),
        Source(name="catalogue", quota=4),
    ),
    enrichers=("daylight",),
    rules=(
        Rule(
            key="bright",
            action="pin",
            when={"plugin.daylight.long": True},
            items={"item_id": "item-11"},
            reason="For long days",
        ),
    ),
)
WEIGHTED = replace(BUDGET, scorer=ScorerChoice(name="model", parameters={"model": "outside"}), rules=())


def states(policy: object) -> dict[str, PolicyState]:
    return {"home": PolicyState(key="home", surface="home", stable=1, versions={1: policy})}  # type: ignore[dict-item]  # a policy


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("example")
    picks = folder / "picks.txt"
    picks.write_text("item-11\nitem-8\nunheard-of\nitem-9\n")
    os.environ[PICKS] = str(picks)
    installation = replace(INSTALLATION, surfaces={"home": HOME})
    with on_path(install_example(folder)):
        made = install(folder, snapshot=replace(SNAPSHOT, installation=installation, policies=states(BUDGET)))
        with running(made, plugin_s=5.0) as engine:
            yield engine
        made.database.close()
    del os.environ[PICKS]


def replayed(shop: Running, answer: dict) -> None:
    verdict = shop.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert verdict["verdict"] == "exact", verdict


def test_the_package_brings_one_of_every_kind(shop: Running) -> None:
    found = installed()
    assert not found.broken
    assert {("scorer", "budget"), ("enricher", "daylight"), ("source", "picks"), ("model", "weights")} <= set(
        found.found
    )


def test_scorer_enricher_and_source_decide_and_replay(shop: Running) -> None:
    answer = shop.decide(subject="u-1", slots=5, context={"latitude": 0.001})
    assert (answer["served_by"], answer["model"]) == ("model", {"name": "plugin.budget", "version": "1.0.0"})
    record = shop.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert record["sources"] == {"plugin.picks": 2, "catalogue": 4}
    assert record["brought"] == {"picks": ["item-11", "item-8", "unheard-of"]}
    assert 11.0 < record["plugins"]["daylight.hours"] < 13.0
    found = [item["item"] for item in answer["items"]]
    unpinned = [item for item in found if item != "item-11"]
    assert unpinned[0] == "item-8"
    replayed(shop, answer)


def test_what_an_enricher_says_moves_a_rule(shop: Running) -> None:
    north = shop.decide(subject="u-1", slots=3, context={"latitude": 80.0})
    south = shop.decide(subject="u-1", slots=3, context={"latitude": -80.0})
    unknown = shop.decide(subject="u-1", slots=3)
    pinned = [answer["items"][0]["item"] == "item-11" for answer in (north, south, unknown)]
    assert sorted(pinned[:2]) == [False, True]
    assert not pinned[2]
    for answer in (north, south, unknown):
        replayed(shop, answer)


def test_who_did_not_agree_is_told_to_no_plugin(shop: Running) -> None:
    before = shop.replica.plugins.shown()["enricher.daylight"]["ok"]
    answer = shop.decide(slots=3, context={"latitude": 80.0})
    assert answer["served_by"] == "default"
    record = shop.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert (record["plugins"], record["brought"]) == ({}, {})
    assert shop.replica.plugins.shown()["enricher.daylight"]["ok"] == before


def test_a_callers_list_asks_no_source(shop: Running) -> None:
    before = shop.replica.plugins.shown()["source.picks"]["ok"]
    answer = shop.decide(subject="u-1", slots=2, candidates=["item-6", "item-7", "item-0"])
    assert [item["item"] for item in answer["items"]] == ["item-7", "item-6"]
    assert shop.replica.plugins.shown()["source.picks"]["ok"] == before
    replayed(shop, answer)


def test_health_and_metrics_name_them(shop: Running) -> None:
    shop.decide(subject="u-1", slots=1, context={"latitude": 1.0})
    ready = shop.client.get("/readyz").json()["plugins"]
    assert ready == {"enricher.daylight": "closed", "scorer.budget": "closed", "source.picks": "closed"}
    text = shop.client.get("/metrics").text
    assert 'fairlead_circuit_state{dependency="scorer.budget"} 0.0' in text
    assert 'fairlead_dependency_requests_total{dependency="enricher.daylight",result="ok"}' in text


def test_a_model_that_others_trained_is_registered_loaded_and_replayed(shop: Running) -> None:
    made = shop.installed
    files = made.home / "trained-elsewhere"
    files.mkdir()
    asked = {"name": "outside", "plugin": "weights", "files": files, "now": clock.now()}
    with pytest.raises(Invalid, match="files"):
        register_elsewhere(made.database, made.home, **asked)
    assert not list((made.home / "models" / "outside").iterdir())
    with pytest.raises(Invalid, match="plugin"):
        register_elsewhere(made.database, made.home, **{**asked, "plugin": "unheard-of"})
    (files / "weights.json").write_text(json.dumps({"item.price": 1.0, "stat.clicks": 0.5}))
    model = register_elsewhere(made.database, made.home, **asked, settings={"reversed": True})
    assert model.features == ("item.price", "stat.clicks")
    with made.database.write() as write:
        registry.promote(write, "outside", model.version)
    installation = replace(INSTALLATION, surfaces={"home": HOME})
    serving = {"outside": model.version}
    made.publish(SNAPSHOT, installation=installation, policies=states(WEIGHTED), models=serving)
    shop.until(lambda: (shop.decide(subject="u-1")["model"] or {}).get("version") == model.version)
    answer = shop.decide(subject="u-1", slots=12, context={"latitude": 10.0})
    assert answer["served_by"] == "model"
    assert answer["items"][0]["item"] == "item-0"
    replayed(shop, answer)
    assert shop.client.get("/readyz").json()["plugins"]["model.outside"] == "closed"
