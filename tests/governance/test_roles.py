"""Roles of the installation's own: never more than their author may, felt by their holders within a second."""

import itertools
from typing import Any

import httpx
import pytest

from storage import tokens
from storage.database import Database
from storage.records.access import ROLES, Scope

from .conftest import NOW, REASON
from .served import People, Person

WHY = {"reason": REASON}
HELPERS = {"key": "helpers", "title": "Who helps", "like": "marketer", "scopes": ["read", "campaign:write"]}


def create(by: Person, **more: Any) -> httpx.Response:
    return by.post("/roles", json={"role": {**HELPERS, **more}, **WHY})


def token_of(by: Person, role: str, scopes: list[str] | None = None) -> httpx.Response:
    body = {"name": "t", "principal": "tom", "role": role, **WHY}
    return by.post("/tokens", json=body if scopes is None else {**body, "scopes": scopes})


def holder(people: People, by: Person, role: str, scopes: list[str] | None = None) -> Person:
    minted = token_of(by, role, scopes)
    assert minted.status_code == 201, minted.text
    return Person(people.client, minted.json()["token"])


def test_a_token_of_an_own_role_does_what_the_role_says(people: People) -> None:
    anna = people("anna")
    assert create(anna).status_code == 201
    tom = holder(people, anna, "helpers")
    me = tom.get("/me").json()
    assert (me["role"], me["like"], me["scopes"]) == ("helpers", "marketer", ["campaign:write", "read"])
    assert tom.post("/campaigns/men/pause", json=WHY).status_code == 200
    assert tom.post("/kill", json={"on": True, **WHY}).status_code == 403
    listed = {view["role"]["key"]: view for view in anna.get("/roles").json()["roles"]}
    assert listed["helpers"]["holders"] == ["tom"] and listed["admin"]["built_in"]
    assert set(listed) == {*ROLES, "helpers"}


def test_what_is_taken_from_a_role_is_taken_from_its_holders_at_once(people: People) -> None:
    anna = people("anna")
    tag = create(anna).headers["etag"]
    tom = holder(people, anna, "helpers")
    narrow = {"role": {**HELPERS, "scopes": ["read"]}, **WHY}
    assert anna.put("/roles/helpers", json=narrow, headers={"if-match": tag}).status_code == 200
    assert tom.get("/me").json()["scopes"] == ["read"]
    assert tom.post("/campaigns/men/pause", json=WHY).status_code == 403


def test_engines_judge_by_the_role_as_it_stands(people: People, sqlite_database: Database) -> None:
    anna = people("anna")
    tag = create(anna, like="service", scopes=["decide", "events:write"]).headers["etag"]
    text = token_of(anna, "helpers").json()["token"]

    def may() -> frozenset[Scope]:
        with sqlite_database.read() as read:
            return tokens.principals(read, NOW)[tokens.hash_token(text)].scopes

    assert may() == {Scope.DECIDE, Scope.EVENTS_WRITE}
    narrow = {"role": {**HELPERS, "like": "service", "scopes": ["decide"]}, **WHY}
    assert anna.put("/roles/helpers", json=narrow, headers={"if-match": tag}).status_code == 200
    assert may() == {Scope.DECIDE}


def test_a_wider_role_is_a_second_admins_matter(people: People) -> None:
    anna, bert = people("anna"), people("bert")
    assert create(anna, scopes=["read", "policy:apply"]).json()["code"] == "FL-1407"
    tag = create(anna).headers["etag"]
    wide = {**HELPERS, "scopes": [*HELPERS["scopes"], "policy:apply"]}
    refused = anna.put("/roles/helpers", json={"role": wide, **WHY, "confirm": "helpers"}, headers={"if-match": tag})
    assert refused.json()["code"] == "FL-1407"
    change = anna.post("/changes", json={"kind": "role.edit", "key": "helpers", "payload": {"role": wide}, **WHY})
    key = change.json()["change_id"]
    assert anna.post(f"/changes/{key}/submit", json=WHY).is_success
    assert anna.post(f"/changes/{key}/approve", json=WHY).status_code == 403
    assert people("olga", "ops").post(f"/changes/{key}/approve", json=WHY).status_code == 403
    assert bert.post(f"/changes/{key}/approve", json=WHY).is_success
    assert anna.post(f"/changes/{key}/apply", json={**WHY, "confirm": "helpers"}).is_success
    assert "policy:apply" in anna.get("/roles/helpers").json()["role"]["scopes"]


@pytest.mark.parametrize("scope", ["simulate", "own", "creator:own"])
def test_no_role_carries_what_none_may(people: People, scope: str) -> None:
    refused = create(people("anna"), scopes=["read", scope])
    assert refused.status_code == 422 and refused.json()["problems"][0]["field"] == "scopes"


@pytest.mark.parametrize(
    "wrong", [{"key": "admin"}, {"key": "a b"}, {"scopes": []}, {"scopes": ["read", "read"]}, {"like": "king"}]
)
def test_a_role_that_makes_no_sense_is_refused_by_its_field(people: People, wrong: dict[str, Any]) -> None:
    refused = create(people("anna"), **wrong)
    assert refused.status_code == 422
    assert any(next(iter(wrong)) in one["field"] for one in refused.json()["problems"])


def test_nobody_gives_what_they_do_not_have(people: People) -> None:
    small = people("sam", "admin", ("admin", "read"))
    assert token_of(small, "marketer").status_code == 403
    assert token_of(small, "admin").status_code == 403
    assert token_of(small, "admin", ["read"]).status_code == 201
    refused = create(small)
    assert refused.status_code == 422 and "campaign:write" in refused.json()["detail"]
    assert create(small, scopes=["read"]).status_code == 201


def test_a_token_carries_no_more_than_its_role(people: People) -> None:
    anna = people("anna")
    for role, scope in itertools.product(sorted(ROLES), Scope):
        status = token_of(anna, role, [scope.value]).status_code
        marks = {Scope.SIMULATE} if role == "service" else set()
        assert (status == 201) == (scope in ROLES[role] | marks), (role, scope)
    assert token_of(anna, "nobody").status_code == 422


def test_only_admins_make_roles(people: People) -> None:
    for role in sorted(set(ROLES) - {"admin"}):
        by = people(f"a {role}", role)
        assert create(by).status_code == by.get("/roles").status_code == 403


def test_a_role_that_somebody_holds_is_not_deleted(people: People) -> None:
    anna = people("anna")
    tag = {"if-match": create(anna).headers["etag"]}
    minted = token_of(anna, "helpers").json()
    assert anna.delete("/roles/helpers", json=WHY, headers=tag).status_code == 409
    assert anna.post(f"/tokens/{minted['token_id']}/revoke", json=WHY).is_success
    assert anna.delete("/roles/helpers", json=WHY, headers=tag).is_success
    assert Person(people.client, minted["token"]).get("/me").status_code == 401


def test_when_a_token_was_last_used_is_told(people: People) -> None:
    anna = people("anna")
    minted = token_of(anna, "marketer").json()
    used = {one["token_id"]: one["used_at"] for one in anna.get("/tokens").json()["tokens"]}
    assert used[minted["token_id"]] is None
    assert NOW in used.values()
