"""Sec-GPC on every route that knows a person: that answer is not personalized, and the opt-out is stored, always."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scoring_core.edges.rest.app import COLD, HOT
from storage import consent
from storage.records.consent import Purpose
from storage.records.toggles import Toggle
from tests.scoring_core.edges.known_people import WITH_PEOPLE
from tests.scoring_core.edges.running import Running, install, running

OBJECTS = {"sec-gpc": "1"}
CLICK = {"type": "click", "item": "item-1"}
KNOWS_A_PERSON: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/personalize"): {"json": {"surface": "home", "subject": "WHO"}},
    ("POST", "/v1/rerank"): {"json": {"surface": "home", "subject": "WHO", "candidates": ["item-1"]}},
    ("POST", "/v1/personalization/config"): {"json": {"surface": "home", "subject": "WHO"}},
    ("POST", "/v1/events"): {"json": [CLICK | {"subject": "WHO"}, CLICK]},
    ("POST", "/v1/personalization/track-interaction"): {"json": CLICK | {"subject": "WHO"}},
    ("POST", "/v1/personalization/track-interactions"): {"json": {"events": [CLICK | {"subject": "WHO"}]}},
    ("GET", "/v1/user/profile"): {"params": {"subject": "WHO"}},
    ("PUT", "/v1/user/profile/preferences"): {"json": {"subject": "WHO", "interests": {"colour=red": 1.0}}},
    ("GET", "/v1/user/interests"): {"params": {"subject": "WHO"}},
    ("PUT", "/v1/user/interests"): {"json": {"subject": "WHO", "interests": {"colour=red": 1.0}}},
    ("GET", "/v1/user/interests/history"): {"params": {"subject": "WHO"}},
    ("GET", "/v1/user/interactions"): {"params": {"subject": "WHO"}},
    ("POST", "/v1/user/quiz"): {"json": {"subject": "WHO", "answers": ["warm"]}},
    ("POST", "/v1/user/identify"): {"json": {"visitor": "visitor of WHO", "account": "WHO"}},
    ("POST", "/v1/user/feedback"): {"json": {"subject": "WHO", "item": "item-1", "value": 4}},
    ("GET", "/v1/user/recommendations"): {"params": {"subject": "WHO", "surface": "home"}},
    ("POST", "/v1/toggles"): {"json": {"subject": "WHO"}},
    ("GET", "/v1/toggles"): {"params": {"subject": "WHO"}},
    ("POST", "/ofrep/v1/evaluate/flags"): {"json": {"context": {"targetingKey": "WHO"}}},
    ("POST", "/ofrep/v1/evaluate/flags/{key}"): {"json": {"context": {"targetingKey": "WHO"}}},
    ("GET", "/v1/personalization/profile/{subject}"): {},
    ("POST", "/v1/personalization/profile/{subject}"): {"json": {"interests": {"colour=red": 1.0}}},
    ("POST", "/v1/personalization/profile/{subject}/recompute"): {},
    ("GET", "/v1/personalization/interactions/{subject}"): {},
}
KNOWS_NOBODY = {
    ("GET", "/v1/decisions/{id}"),
    ("GET", "/v1/decisions/{id}/explanation"),
    ("GET", "/v1/decisions/{id}/replay"),
    ("GET", "/v1/user/quiz"),
    ("GET", "/v1/journal"),
    ("GET", "/v1/metrics/windows"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = install(tmp_path_factory.mktemp("gpc"), snapshot=replace(WITH_PEOPLE, toggles={"new": Toggle(key="new")}))
    with running(made) as engine:
        yield engine
    made.database.close()


def named(asked: Any, who: str) -> Any:
    """Return a request about ``who``."""
    if isinstance(asked, dict):
        return {key: named(value, who) for key, value in asked.items()}
    if isinstance(asked, list):
        return [named(value, who) for value in asked]
    return asked.replace("WHO", who) if isinstance(asked, str) else asked


def counted(engine: Running, honoured: str) -> float:
    text = engine.client.get("/metrics").text
    line = f'fairlead_gpc_requests_total{{honoured="{honoured}"}} '
    return next(float(each.removeprefix(line)) for each in text.splitlines() if each.startswith(line))


def said(engine: Running, raw: str) -> list[tuple[Purpose, str, str]]:
    subject = engine.replica.identities.cached(raw)
    with engine.installed.database.read() as read:
        return [(each.purpose, each.state, each.source) for each in consent.history(read, subject or "")]


def test_every_route_is_known() -> None:
    assert {("POST", path) for path in HOT} | COLD.keys() == KNOWS_A_PERSON.keys() | KNOWS_NOBODY


@pytest.mark.parametrize(("method", "path"), KNOWS_A_PERSON, ids=" ".join)
def test_the_objection_holds_at_once_and_is_stored(engine: Running, method: str, path: str) -> None:
    who = f"gpc {method} {path}".replace("/", "-").replace("{", "").replace("}", "")
    engine.until(lambda: engine.decide(subject=who)["served_by"] == "model")
    before = counted(engine, "true"), counted(engine, "false")
    asked = named(KNOWS_A_PERSON[method, path], who)
    answer = engine.client.request(
        method, path.replace("{subject}", who).replace("{key}", "new"), headers=OBJECTS, **asked
    )
    assert answer.is_success, answer.text
    told = answer.json()
    if "served_by" in told:
        assert (told["served_by"], told["reason"]) == ("default", "gpc")
    if "learned_from" in told:
        assert told["learned_from"] == "gpc"
        assert told.get("learned") is None and not told.get("days")
    assert engine.decide(subject=who)["reason"] == "no_consent"
    assert (counted(engine, "true"), counted(engine, "false")) == (before[0] + 1, before[1])
    everyone = [who, f"visitor of {who}"] if path.endswith("identify") else [who]
    for each in everyone:
        engine.until(lambda each=each: said(engine, each))
        assert said(engine, each) == [(Purpose.PERSONALIZATION, "denied", "gpc")]
