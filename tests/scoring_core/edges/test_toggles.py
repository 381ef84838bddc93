"""Toggles over HTTP: who gets which value, that no consent means no share of people, and OpenFeature's protocol."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.records.toggles import Prerequisite, Toggle, ToggleRule
from tests.scoring_core.edges.running import SNAPSHOT, Running, install, running

TOGGLES = (
    Toggle(key="plain", enabled=True, rules=(ToggleRule(key="all", value=True),)),
    Toggle(key="off", rules=(ToggleRule(key="all", value=True),)),
    Toggle(key="half", enabled=True, rules=(ToggleRule(key="share", value=True, coverage=0.5),)),
    Toggle(
        key="banner",
        kind="string",
        enabled=True,
        default="none",
        rules=(
            ToggleRule(key="happy", when={"mood": "happy"}, value="sun"),
            ToggleRule(key="clickers", when={"user.events": {"$gte": 2}}, value="clicks"),
            ToggleRule(key="test", variations=("a", "b")),
        ),
    ),
    Toggle(
        key="child",
        kind="string",
        enabled=True,
        default="x",
        rules=(ToggleRule(key="gate", requires=(Prerequisite(toggle="off", when={"value": True}),)),),
    ),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("home")
    with running(install(home, snapshot=replace(SNAPSHOT, toggles={one.key: one for one in TOGGLES}))) as engine:
        yield engine


def asked(engine: Running, path: str = "/v1/toggles", **body: Any) -> Any:
    answer = engine.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(answer: Any) -> dict[str, Any]:
    return {key: one["value"] for key, one in answer["toggles"].items()}


def test_rules_give_values_in_their_order(engine: Running) -> None:
    answer = asked(engine, subject="u-1", context={"mood": "happy"})
    told = values(answer)
    assert (told["plain"], told["off"], told["banner"], told["child"]) == (True, False, "sun", None)
    assert answer["toggles"]["banner"] == {
        "value": "sun", "on": True, "source": "force", "rule": "happy", "variation": None,
    }  # fmt: skip
    assert values(asked(engine, "/api/v1/toggles", subject="u-1", toggles=["plain", "none"])) == {
        "plain": True,
        "none": None,
    }
    by_query = engine.client.get("/v1/toggles", params={"subject": "u-1", "toggle": "half"}).json()
    assert by_query["toggles"]["half"] == asked(engine, subject="u-1")["toggles"]["half"]


def test_about_half_the_people_have_a_half_and_keep_it(engine: Running) -> None:
    first = [asked(engine, subject=f"p-{n}", toggles=["half"])["toggles"]["half"]["on"] for n in range(200)]
    again = [asked(engine, subject=f"p-{n}", toggles=["half"])["toggles"]["half"]["on"] for n in range(200)]
    assert first == again and 70 <= sum(first) <= 130


def test_what_a_person_did_counts_as_soon_as_it_is_known(engine: Running) -> None:
    events = [{"type": "click", "subject": "clicker", "item": "item-1", "surface": "home"} for _ in range(3)]
    assert values(asked(engine, subject="clicker"))["banner"] in {"a", "b"}
    assert engine.client.post("/v1/events", json={"events": events}).status_code == 202
    engine.until(lambda: values(asked(engine, subject="clicker"))["banner"] == "clicks")


def test_who_said_no_is_in_no_share(engine: Running) -> None:
    engine.installed.say("u-no", "denied")
    engine.until(lambda: asked(engine, subject="u-no")["reason"] == "no_consent")
    for answer in (asked(engine, subject="u-no"), asked(engine)):
        told = values(answer)
        assert answer["personal"] is False
        assert (told["plain"], told["half"], told["banner"]) == (True, False, "none")


def test_an_objection_is_honoured_at_once_and_kept(engine: Running) -> None:
    answer = engine.client.post("/v1/toggles", json={"subject": "u-gpc"}, headers={"sec-gpc": "1"}).json()
    assert (answer["reason"], values(answer)["half"]) == ("gpc", False)
    engine.until(lambda: asked(engine, subject="u-gpc")["reason"] == "no_consent")


def test_a_flip_reaches_the_engine(engine: Running) -> None:
    flipped = {one.key: one for one in TOGGLES} | {"off": replace(TOGGLES[1], enabled=True)}
    engine.installed.publish(SNAPSHOT, toggles=flipped)
    engine.until(lambda: values(asked(engine, subject="u-1"))["off"] is True)
    engine.installed.publish(SNAPSHOT, toggles={one.key: one for one in TOGGLES})
    engine.until(lambda: values(asked(engine, subject="u-1"))["off"] is False)


@pytest.mark.parametrize("body", [{"context": {"weather": "wet"}}, {"context": {"age": "old"}}, {"surface": "home"}])
def test_what_is_not_declared_is_refused_by_name(engine: Running, body: dict[str, Any]) -> None:
    answer = engine.client.post("/v1/toggles", json=body)
    assert answer.status_code == 422 and answer.json()["problems"]


def test_openfeature_reads_flags(engine: Running) -> None:
    context = {"targetingKey": "u-1", "mood": "happy", "undeclared": {"deep": 1}}
    flags = {one["key"]: one for one in asked(engine, "/ofrep/v1/evaluate/flags", context=context)["flags"]}
    assert flags["banner"]["value"] == "sun" and flags["banner"]["reason"] == "TARGETING_MATCH"
    assert flags["off"]["reason"] == "DISABLED" and flags["off"]["value"] is False
    assert "value" not in flags["child"]
    split = asked(engine, "/ofrep/v1/evaluate/flags/banner", context={"targetingKey": "u-1"})
    assert (split["reason"], split["value"]) == ("SPLIT", "ab"[int(split["variant"])])
    missing = engine.client.post("/ofrep/v1/evaluate/flags/none", json={"context": {}})
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_nobody_asks_without_the_scope(engine: Running) -> None:
    for path in ("/v1/toggles", "/ofrep/v1/evaluate/flags"):
        assert engine.client.post(path, json={}, headers={"authorization": "Bearer x"}).status_code == 401
