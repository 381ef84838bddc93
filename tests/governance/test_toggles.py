"""Toggles by the control API: written, checked, turned; broad ones want a second person; nobody pulls a floor away."""

from typing import Any

import pytest

from governance.control import Control
from governance.toggling import level_of, reach
from storage.records.toggles import Toggle, ToggleRule

from .conftest import REASON
from .served import People, Person

WHY = {"reason": REASON}


@pytest.fixture
def anna(people: People) -> Person:
    return people("anna", "marketer")


def toggle(key: str = "new", **more: Any) -> dict[str, Any]:
    rules = [{"key": "some", "value": True, "coverage": 0.1}]
    return {"key": key, "enabled": True, "rules": rules, **more}


def created(by: Person, **document: Any) -> str:
    answer = by.post("/toggles", json={"toggle": toggle(**document), **WHY})
    assert answer.status_code == 201, answer.text
    return answer.headers["etag"]


def test_a_toggle_is_written_edited_put_back_and_deleted(anna: Person, control: Control) -> None:
    tag = created(anna)
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.toggles["new"].rules[0].coverage == 0.1
    edit = {"toggle": toggle(name="Shiny", rules=[{"key": "some", "value": True, "coverage": 0.15}]), **WHY}
    assert anna.put("/toggles/new", json=edit).status_code == 422
    assert anna.put("/toggles/new", json=edit, headers={"if-match": '"old"'}).status_code == 412
    answer = anna.put("/toggles/new", json=edit, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["level"], answer.json()["after"]["version"]) == (200, "D1", 2)
    back = anna.post("/toggles/new/rollback", json=WHY).json()
    assert (back["level"], back["after"]["name"], back["after"]["version"]) == ("safe", "", 3)
    assert anna.delete("/toggles/new", json=WHY, headers={"if-match": back["etag"]}).status_code == 409
    off = anna.post("/toggles/new/disable", json=WHY).json()
    assert off["level"] == "safe"
    assert anna.delete("/toggles/new", json=WHY, headers={"if-match": off["etag"]}).status_code == 200
    assert anna.get("/toggles/new").status_code == 404


def test_what_reaches_many_at_once_wants_a_second_person(anna: Person) -> None:
    wide = {"toggle": toggle(rules=[{"key": "all", "value": True}]), "confirm": "new", **WHY}
    assert anna.post("/toggles", json=wide).json()["code"] == "FL-1407"
    created(anna, enabled=False, rules=[{"key": "all", "value": True}])
    assert anna.post("/toggles/new/enable", json={**WHY, "confirm": "new"}).json()["code"] == "FL-1407"


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        (0.0, 0.1, "D1"),
        (0.0, 0.11, "D2"),
        (0.45, 0.5, "D1"),
        (0.5, 0.51, "D2"),
        (0.6, 0.4, "D1"),
    ],
)
def test_levels_go_by_how_many_more_are_reached(before: float, after: float, level: str) -> None:
    def of(share: float) -> Toggle:
        return Toggle(key="a", enabled=True, rules=(ToggleRule(key="r", value=True, coverage=share),))

    assert level_of(of(before), of(after)) == level
    assert reach(of(after)) == after


def test_another_default_concerns_everyone() -> None:
    assert level_of(Toggle(key="a"), Toggle(key="a", default=True)) == "D2"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"default": "text"}, "default"),
        ({"rules": [{"key": "r", "value": "x"}]}, "rules.0.value"),
        ({"rules": [{"key": "r", "value": True, "when": {"nothing": 1}}]}, "rules.0.when.nothing"),
        ({"rules": [{"key": "r", "value": True, "by": "nobody"}]}, "rules.0.by"),
        ({"rules": [{"key": "r"}]}, "rules.0.value"),
        ({"rules": [{"key": "r", "variations": [True]}]}, "rules.0.variations"),
        ({"rules": [{"key": "r", "variations": [True, False], "weights": [0.9, 0.9]}]}, "rules.0.weights"),
        ({"rules": [{"key": "r", "requires": [{"toggle": "none", "when": {}}]}]}, "rules.0.requires.0.toggle"),
        ({"rules": [{"key": "r", "value": True}, {"key": "r", "value": True}]}, "rules"),
        ({"rules": [{"key": "r", "value": True, "starts_at": 5, "ends_at": 5}]}, "rules.0.ends_at"),
        ({"rules": [{"key": "r", "value": True, "coverage": 2}]}, "rules.0.coverage"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_mistakes_are_named_before_anything_is_saved(anna: Person, document: dict[str, Any], field: str) -> None:
    told = anna.post("/toggles/validate", json={"toggle": toggle(**document)}).json()
    assert field in [one["field"] for one in told["problems"]]
    assert anna.post("/toggles", json={"toggle": toggle(**document), **WHY, "confirm": "new"}).status_code in {409, 422}
    assert anna.get("/toggles").json()["toggles"] == []


def test_prerequisites_make_no_circle_and_stay(anna: Person) -> None:
    created(anna, key="base")
    asks = [{"key": "gate", "requires": [{"toggle": "base", "when": {"value": True}}]}]
    created(anna, key="top", rules=asks)
    tag = anna.get("/toggles/base").headers["etag"]
    circle = toggle("base", rules=[{"key": "g", "requires": [{"toggle": "top", "when": {"value": True}}]}])
    answer = anna.put("/toggles/base", json={"toggle": circle, **WHY}, headers={"if-match": tag})
    assert answer.status_code == 422 and "circle" in answer.text
    off = anna.post("/toggles/base/disable", json=WHY).json()
    assert anna.delete("/toggles/base", json=WHY, headers={"if-match": off["etag"]}).status_code == 409
    assert anna.get("/toggles/base").json()["asked_by"] == ["top"]


def test_a_draft_can_be_tried_on_people(anna: Person) -> None:
    created(anna, rules=[{"key": "old", "value": True, "when": {"age": {"$gte": 40}}}])
    people = [{"attributes": {"age": age}} for age in (30, 50)]
    saved = anna.post("/toggles/new/try", json={"people": people}).json()["evaluations"]
    assert [(one["value"], one["source"]) for one in saved] == [(False, "default"), (True, "force")]
    draft = toggle(rules=[{"key": "young", "value": True, "when": {"age": {"$lt": 40}}}])
    tried = anna.post("/toggles/new/try", json={"people": people, "toggle": draft}).json()["evaluations"]
    assert [one["rule"] for one in tried] == ["young", ""]
