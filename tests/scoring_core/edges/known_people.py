"""People whom an engine knows: what they do and state, and what their profile tells."""

from dataclasses import replace
from typing import Any

from storage.records.policies import Attribute
from storage.records.standard_events import standard_events
from tests.scoring_core.edges.running import INSTALLATION, SNAPSHOT, Running

ATTRIBUTES = {
    "age": Attribute(type="number"),
    "sizes": Attribute(type="list"),
    "styles": Attribute(type="list"),
    "member": Attribute(type="boolean"),
}
QUIZ = {"warm": {"colour=red": 1.0, "colour=blue": -0.5}, "loud": {"colour=red": 0.5}}
SETTINGS = replace(INSTALLATION, events=standard_events(), attributes=ATTRIBUTES, quiz=QUIZ)
WITH_PEOPLE = replace(SNAPSHOT, installation=SETTINGS)


def meet(engine: Running, subject: str) -> None:
    """Wait until the engine has a pseudonym for a subject: on a busy disk it answers before it has one."""
    if engine.replica.identities.cached(subject) is None:
        asked = {"subject": subject}
        engine.until(lambda: engine.client.get("/v1/user/profile", params=asked).status_code == 200)


def did(engine: Running, subject: str, kind: str, item: int | None = None, **more: Any) -> None:
    meet(engine, subject)
    named = {} if item is None else {"item": f"item-{item}"}
    answer = engine.client.post("/v1/events", json={"type": kind, "subject": subject, **named, **more})
    assert answer.status_code == 202, answer.text


def profile(engine: Running, subject: str) -> dict[str, Any]:
    meet(engine, subject)
    answer = engine.client.get("/v1/user/profile", params={"subject": subject})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def prefer(engine: Running, subject: str, **body: Any) -> dict[str, Any]:
    meet(engine, subject)
    answer = engine.client.put("/v1/user/profile/preferences", json={"subject": subject, **body})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def liked(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["interest"]: each for each in told["interests"]}
