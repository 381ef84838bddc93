"""Rules written through control: checked with words, in the ledger, with tags and danger, and the way back."""

from dataclasses import replace
from typing import Any

import pytest

from governance.control import Control
from storage import catalogue, ledger, revisions, rules
from storage.database import Database
from storage.errors import Conflict, NeedsApproval
from storage.records.items import Item

from .conftest import REASON, warrant
from .served import People

WHY = {"reason": REASON}
RULE: dict[str, Any] = {
    "key": "lift", "action": "boost", "factor": 2.0, "when": {"age": {"$gte": 30}}, "items": {"kind": "bag"},
}  # fmt: skip


@pytest.fixture
def people(people: People, sqlite_database: Database) -> People:
    with sqlite_database.write() as write:
        catalogue.upsert(write, [Item(item_id="b1", kind="bag"), Item(item_id="s1", kind="shoe")], now=1)
    return people


def test_a_rule_lives_by_control_alone(people: People, sqlite_database: Database) -> None:
    mary = people("mary", "marketer")
    made = mary.post("/rules", json={"rule": RULE, **WHY})
    assert made.status_code == 201 and made.json()["level"] == "D1", made.text
    with sqlite_database.read() as read:
        snapshot = revisions.load(read)
    assert snapshot is not None and snapshot.rules["lift"].factor == 2.0
    tag = mary.get("/rules/lift").headers["etag"]
    edit = {"rule": {**RULE, "factor": 3.0}, **WHY}
    assert mary.put("/rules/lift", json=edit).status_code == 422
    assert mary.put("/rules/lift", json=edit, headers={"if-match": tag}).json()["after"]["version"] == 2
    assert mary.put("/rules/lift", json=edit, headers={"if-match": tag}).status_code == 412
    back = mary.post("/rules/lift/rollback", json=WHY)
    assert back.json()["level"] == "safe" and back.json()["after"]["factor"] == 2.0
    assert back.json()["after"]["version"] == 3
    tag = mary.get("/rules/lift").headers["etag"]
    assert mary.delete("/rules/lift", json=WHY, headers={"if-match": tag}).status_code == 409
    assert mary.post("/rules/lift/disable", json=WHY).json()["level"] == "safe"
    tag = mary.get("/rules/lift").headers["etag"]
    assert mary.delete("/rules/lift", json=WHY, headers={"if-match": tag}).json()["after"] is None
    assert mary.get("/rules/lift").status_code == 404
    with sqlite_database.read() as read:
        told = ledger.entries(read, object_kind="rule", object_key="lift", result="applied")
        snapshot = revisions.load(read)
    assert [entry.action for entry in reversed(told)] == [
        f"rule.{verb}" for verb in ("create", "edit", "rollback", "disable", "delete")
    ]
    assert snapshot is not None and snapshot.rules == {}


def test_a_rule_for_everyone_needs_a_second_person_to_serve_and_nobody_to_stop(control: Control) -> None:
    broad = {**RULE, "when": {}}
    with pytest.raises(NeedsApproval):
        control.do("rule.create", "lift", {"rule": broad}, warrant("mary", "marketer"))
    made = control.do("rule.create", "lift", {"rule": {**broad, "enabled": False}}, warrant("mary", "marketer"))
    assert made.level == "D1"
    with pytest.raises(NeedsApproval):
        control.do("rule.enable", "lift", {}, warrant("mary", "marketer"))
    change = control.propose("rule.enable", "lift", {}, warrant("mary", "marketer"))
    control.submit(change.change_id, warrant("mary", "marketer"))
    control.approve(change.change_id, warrant("olga", "ops"))
    control.apply(change.change_id, warrant("olga", "ops", confirm="lift"))
    assert control.do("rule.disable", "lift", {}, warrant("mary", "marketer")).level == "safe"


def test_what_was_off_comes_back_off(control: Control) -> None:
    made = control.do("rule.create", "lift", {"rule": {**RULE, "enabled": False, "when": {}}}, warrant())
    stored = control.do("rule.edit", "lift", {"rule": RULE}, warrant(etag=made.etag))
    assert stored.after["enabled"] is True
    assert control.do("rule.rollback", "lift", {}, warrant()).after["enabled"] is False
    with pytest.raises(Conflict):
        control.do("rule.disable", "lift", {}, warrant())


def test_the_way_back_is_open_to_what_would_not_be_written_today(control: Control, sqlite_database: Database) -> None:
    control.do("rule.create", "lift", {"rule": RULE}, warrant())
    with sqlite_database.read() as read:
        served = rules.find(read, "lift").rule  # type: ignore[union-attr]  # it was written just now
    gone = replace(served, campaigns=("gone",))
    with sqlite_database.write() as write:
        rules.save(write, served, previous=gone, at=1)
    assert control.do("rule.rollback", "lift", {}, warrant()).after["campaigns"] == ["gone"]


def test_a_rule_that_was_never_edited_has_no_way_back(control: Control) -> None:
    control.do("rule.create", "lift", {"rule": RULE}, warrant())
    with pytest.raises(Conflict, match="never edited"):
        control.do("rule.rollback", "lift", {}, warrant())


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"when": {"agee": 3}}, "when.agee", "age"),
        ({"when": {"user.clicks": "many"}}, "when.user.clicks", "number"),
        ({"when": {"time.hour": {"$foo": 3}}}, "when.time.hour.$foo", "is no operator"),
        ({"surfaces": ["hom"]}, "surfaces.0", "no such surface"),
        ({"campaigns": ["nobody"]}, "campaigns.0", "no such campaign"),
        ({"factor": 0.0}, "factor", "above zero"),
        ({"values": {"theme": "dark"}}, "values", "only a rule that does set"),
        ({"zone": "Mars/Olympus"}, "zone", "IANA"),
        ({"starts_at": 5, "ends_at": 4}, "ends_at", "after starts_at"),
        (
            {"arms": [{"key": "a", "share": 0.7, "off": True}, {"key": "b", "share": 0.7, "off": True}]},
            "arms",
            "add up",
        ),
        ({"action": "exclude", "factor": 1.0, "items": {}}, "items", "empty the surface"),
        ({"key": "conflicts"}, "key", "another"),
        ({"reason": "<b>"}, "reason", "markup"),
    ],
)
def test_an_author_is_told_what_to_mend(people: People, change: dict[str, Any], field: str, words: str) -> None:
    mary = people("mary", "marketer")
    body = {**RULE, **change}
    told = mary.post("/rules/validate", json={"rule": body}).json()["problems"]
    assert any(problem["field"] == field and words in problem["message"] for problem in told), told
    refused = mary.post("/rules", json={"rule": body, **WHY})
    assert refused.status_code == 422 and any(one["field"] == field for one in refused.json()["problems"])


def test_conditions_may_ask_all_that_the_house_knows(people: People) -> None:
    asked = {
        "user.clicks": {"$gte": 3}, "user.segments": {"$in": ["power"]}, "session.sequence": {"$lt": 9},
        "time.hour": {"$gte": 18}, "plugin.weather.sky": "grey", "age": {"$gt": 3},
    }  # fmt: skip
    answer = people("mary", "marketer").post("/rules/validate", json={"rule": {**RULE, "when": asked}}).json()
    assert answer["problems"] == [] and answer["level"] == "D1"


def test_the_author_sees_which_rule_wins_and_why(people: People) -> None:
    mary = people("mary", "marketer")
    first = {"key": "a-pin", "action": "pin", "priority": 5, "when": {"age": {"$gte": 30}}, "items": {"kind": "bag"}}
    assert mary.post("/rules", json={"rule": first, **WHY}).status_code == 201
    second = {**first, "key": "b-pin", "priority": 1, "items": {"kind": "shoe"}}
    told = mary.post("/rules/validate", json={"rule": second}).json()
    assert [one["kind"] for one in told["conflicts"]] == ["same_slot"]
    assert "“a-pin” (priority 5 goes before 1)" in told["conflicts"][0]["sentence"]
    apart = mary.post("/rules/validate", json={"rule": {**second, "when": {"age": {"$lt": 30}}}}).json()
    assert apart["conflicts"] == []
    assert mary.post("/rules", json={"rule": second, **WHY}).status_code == 201
    assert len(mary.get("/rules/conflicts").json()["conflicts"]) == 1
    assert {one["rule"]["key"] for one in mary.get("/rules?action=pin").json()["rules"]} == {"a-pin", "b-pin"}
    assert mary.get("/rules?action=boost").json() == {"rules": []}


def test_what_was_not_judged_yet_is_not_made_up(people: People) -> None:
    mary = people("mary", "marketer")
    assert mary.get("/rules/performance").json() == {"at": None, "start": None, "end": None, "effects": None}
    assert mary.get("/rules/lift/performance").status_code == 404
