"""The app's configuration over HTTP: for whom it is adapted, by which rule, and that it replays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.records.policies import Attribute, Surface
from storage.records.rules import Rule
from tests.scoring_core.edges.running import INSTALLATION, SNAPSHOT, Running, install, running

APP = {"theme": "light", "layout": "wide", "difficulty": 1, "beta": False}
RULES = (
    Rule(key="dark", action="set", values={"theme": "dark"}, when={"time.hour": {"$gte": 0}}, reason="It is dark out"),
    Rule(key="phone", action="set", values={"layout": "narrow", "theme": "plain"}, when={"device": "phone"}),
    Rule(key="first", action="set", values={"theme": "bright"}, when={"device": "phone"}, priority=5),
    Rule(key="wrong", action="set", values={"difficulty": "hard", "nothing": 1}),
    Rule(key="support", action="set", values={"beta": True}, surfaces=("support",)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("home")
    places = {
        **INSTALLATION.surfaces,
        "app": Surface(key="app", context={"device": Attribute(type="string")}),
        "support": Surface(key="support"),
    }
    settings = replace(INSTALLATION, app=APP, surfaces=places)
    installed = install(
        home, snapshot=replace(SNAPSHOT, installation=settings, rules={rule.key: rule for rule in RULES})
    )
    with running(installed) as engine:
        engine.until(lambda: configured(engine)["reason"] == "adapted")
        yield engine


def configured(engine: Running, path: str = "/v1/personalization/config", **body: Any) -> Any:
    answer = engine.client.post(path, json={"surface": "app", "subject": "u-1"} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_configuration_names_which_rule_set_what(engine: Running) -> None:
    answer = configured(engine, context={"device": "phone"}, session="s")
    assert answer["config"] == APP | {"theme": "bright", "layout": "narrow"}
    assert (answer["served_by"], answer["reason"]) == ("rules", "adapted")
    assert {name: by["rule"] for name, by in answer["set_by"].items()} == {"theme": "first", "layout": "phone"}
    plain = configured(engine, path="/api/v1/personalization/config")
    assert plain["config"] == APP | {"theme": "dark"}
    assert plain["set_by"] == {"theme": {"rule": "dark", "reason": "It is dark out"}}


def test_another_surface_has_its_own_rules(engine: Running) -> None:
    assert configured(engine, surface="support")["config"]["beta"] is True


def test_who_did_not_agree_or_is_unknown_gets_the_defaults(engine: Running) -> None:
    engine.installed.say("u-no", "denied")
    engine.until(lambda: configured(engine, subject="u-no")["reason"] == "no_consent")
    for answer in (configured(engine, subject="u-no"), configured(engine, subject=None)):
        assert (answer["config"], answer["set_by"], answer["served_by"]) == (APP, {}, "default")


@pytest.mark.parametrize("subject", ["u-1", None])
def test_it_is_recorded_and_replays(engine: Running, subject: str | None) -> None:
    answer = configured(engine, subject=subject)
    record = engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert (record["slots"], record["items"], record["settings"]) == (0, [], answer["config"])
    assert engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()["verdict"] == "exact"
    assert engine.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").status_code == 200


@pytest.mark.parametrize("body", [{"surface": "nowhere"}, {"surface": "app", "slots": 3}, {"context": {"mood": 1}}])
def test_what_does_not_fit_is_refused_by_name(engine: Running, body: dict[str, Any]) -> None:
    answer = engine.client.post("/v1/personalization/config", json={"surface": "app"} | body)
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_a_decision_explains_itself_when_asked(engine: Running) -> None:
    asked = {"surface": "home", "subject": "u-1", "explain": True}
    answer = engine.client.post("/v1/personalize", json=asked).json()
    assert answer["items"] and all(item["sentences"] == ["Popular with many people"] for item in answer["items"])
    assert "sentences" not in engine.decide(subject="u-1")["items"][0]
