"""Silence means what the person's own region says; what they said holds everywhere."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from governance.installation import loosens_consent
from governance.validity import installation_problems
from storage.records.policies import Installation
from tests.scoring_core.edges.running import ALLOW, INSTALLATION, SNAPSHOT, Running, install, running

SETTINGS = replace(
    INSTALLATION, region="US", region_from="mood", consent_default={"US": ALLOW, "DE": {}, "default": {}}
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = install(tmp_path_factory.mktemp("regions"), snapshot=replace(SNAPSHOT, installation=SETTINGS))
    with running(made) as engine:
        engine.until(lambda: engine.decide(subject="first", context={"mood": "US"})["served_by"] == "model")
        yield engine
    made.database.close()


def reason(engine: Running, subject: str, **context: str) -> str:
    found: str = engine.decide(subject=subject, context=context)["reason"]
    return found


def test_a_decision_goes_by_the_region_that_it_names(engine: Running) -> None:
    engine.until(lambda: reason(engine, "u-1", mood="US") != "anonymous")
    told = {where: reason(engine, "u-1", **({"mood": where} if where else {})) for where in ("US", "DE", "FR", "")}
    assert told["US"] != "no_consent"
    assert {told[where] for where in ("DE", "FR", "")} == {"no_consent"}
    engine.installed.say("u-1", "denied")
    engine.until(lambda: reason(engine, "u-1", mood="US") == "no_consent")
    engine.installed.say("u-1", "granted")
    engine.until(lambda: reason(engine, "u-1", mood="DE") != "no_consent")


def test_events_and_questions_name_it_too(engine: Running) -> None:
    click = {"type": "click", "item": "item-1", "subject": "first"}
    for where, stored in (("US", "full"), ("DE", "aggregate"), ("", "aggregate")):
        event = click | ({"properties": {"mood": where}} if where else {})
        assert engine.client.post("/v1/events", json=event).json()["stored"] == stored, where
    for where, refused in (("US", "ok"), ("DE", "no_consent"), ("", "no_consent")):
        asked = {"subject": "first"} | ({"mood": where} if where else {})
        assert engine.client.get("/v1/user/profile", params=asked).json()["learned_from"] == refused, where
        asked |= {"surface": "home"}
        told = engine.client.get("/v1/user/recommendations", params=asked).json()
        assert (told["reason"] == "no_consent") == (refused == "no_consent"), where


def test_who_tells_the_region_is_declared_and_loosens_consent() -> None:
    assert installation_problems(SETTINGS) == ()
    fields = [one.field for one in installation_problems(replace(SETTINGS, region_from="age"))]
    assert fields == ["region_from"]
    assert [one.field for one in installation_problems(Installation(consent_default={"x": {"dreams": "allow"}}))] == [
        "consent_default"
    ]
    assert loosens_consent(INSTALLATION, replace(INSTALLATION, region_from="mood"))
