"""One change, one entry, one transaction: no mutating route without its entry, no entry without its change."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import ledger, revisions
from storage.database import Database
from storage.errors import FairleadError
from storage.keys import Keys, read_token
from storage.lake import Lake
from storage.records.access import Scope
from storage.records.consent import Purpose

from .conftest import NOW, REASON, warrant
from .served import People, Person, serving

WHY = {"reason": REASON}
SYNC = {"source": "file", "location": "items.csv"}
PLATFORM = {"subject": "who", "purposes": {"mail": ["email"]}, "states": {"ACTIVE": "granted"}}
SEGMENT = {"when": {"user.clicks": {"$gte": 10}}}
CAMPAIGN = {"key": "sale", "name": "Sale", "surfaces": ["home"]}
CARD = {"intended_use": "Shows what is in season on the home page.", "limits": "Knows nobody by name.", "owner": "Kim"}
CAP = {"key": "daily", "limit": 3}
TOGGLE = {"key": "new", "enabled": True, "rules": [{"key": "some", "value": True, "coverage": 0.1}]}
PLAN = {"key": "daily", "order": {"attributes": ["age"]}}
SAID = {"subject": "u-1", "attribute": "gender", "value": "f"}
RULE = {"key": "lift", "action": "boost", "factor": 2.0, "when": {"age": {"$gte": 30}}}
ROLLOUT = {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "percent": 50}, "reason": REASON}
GATED = {"kind": "rollout.start", "key": "home", "payload": {"version": 3, "waived": ["fairness"]}, "reason": REASON}
PAYLOADS = [
    "'; DROP TABLE policies; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "![x](https://e.vil/x.png)",
    "<b>bold</b> & <img src=x onerror=alert(1)>",
    "%s %d {0} ${x} {{7*7}}",
    "=HYPERLINK(1)",
    "\u202etxt.exe",
    "é漢字🙂 \u200b",
    "../../etc/passwd",
    "a\\b'c\"d`e;f",
]


@pytest.fixture
def context(control: Control, sqlite_database: Database, keys: Keys, home: Path) -> ControlContext:
    return ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=Lake(home / "lake"),
        engine_token=read_token(home, "collector") or "",
    )


@pytest.fixture
def people(control: Control, context: ControlContext) -> Iterator[People]:
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield People(control, client)


class Counter:
    """Counts the ledger and what state changed, so that each command can be held to its entry."""

    def __init__(self, database: Database) -> None:
        self._path = str(database.url.database)

    def entries(self) -> int:
        with sqlite3.connect(self._path) as connection:
            return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0])

    def state(self) -> str:
        with sqlite3.connect(self._path) as connection:
            tables = [
                "sensitive_attributes", "fairness_plans",
                "consent_changes", "tokens", "settings", "policies", "policy_versions", "campaigns",
                "rules", "caps", "changes", "jobs", "toggles", "emergencies",
            ]  # fmt: skip
            return "\n".join(str(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)


def story(anna: Person, bert: Person, client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Every mutating route once, each doing something."""

    def post(route: str, body: dict[str, Any], by: Person = anna, **path: Any) -> tuple[str, httpx.Response]:
        return f"POST {route}", by.post(route.format(**path), json=body)

    yield post("/campaigns", {"campaign": CAMPAIGN, **WHY})
    tag = anna.get("/campaigns/sale").headers["etag"]
    edit = {"campaign": {**CAMPAIGN, "name": "Sale!"}, **WHY}
    yield "PUT /campaigns/{key}", anna.put("/campaigns/sale", json=edit, headers={"if-match": tag})
    for verb in ("start", "pause", "resume", "end"):
        yield post(f"/campaigns/{{key}}/{verb}", WHY, key="sale")
    yield post("/rules", {"rule": RULE, **WHY})
    tag = anna.get("/rules/lift").headers["etag"]
    edit = {"rule": {**RULE, "factor": 3.0}, **WHY}
    yield "PUT /rules/{key}", anna.put("/rules/lift", json=edit, headers={"if-match": tag})
    for verb in ("rollback", "disable", "enable"):
        yield post(f"/rules/{{key}}/{verb}", WHY, key="lift")
    anna.post("/rules/lift/disable", json=WHY)
    tag = anna.get("/rules/lift").headers["etag"]
    yield "DELETE /rules/{key}", anna.delete("/rules/lift", json=WHY, headers={"if-match": tag})
    yield post("/segments", {"key": "fans", "rule": SEGMENT, **WHY})
    tag = anna.get("/segments/fans").headers["etag"]
    edit = {"rule": {**SEGMENT, "title": "Fans."}, **WHY}
    yield "PUT /segments/{key}", anna.put("/segments/fans", json=edit, headers={"if-match": tag})
    tag = anna.get("/segments/fans").headers["etag"]
    yield "DELETE /segments/{key}", anna.delete("/segments/fans", json=WHY, headers={"if-match": tag})
    yield post("/toggles", {"toggle": TOGGLE, **WHY})
    tag = anna.get("/toggles/new").headers["etag"]
    edit = {"toggle": {**TOGGLE, "name": "New."}, **WHY}
    yield "PUT /toggles/{key}", anna.put("/toggles/new", json=edit, headers={"if-match": tag})
    for verb in ("rollback", "disable", "enable"):
        yield post(f"/toggles/{{key}}/{verb}", WHY, key="new")
    anna.post("/toggles/new/disable", json=WHY)
    tag = anna.get("/toggles/new").headers["etag"]
    yield "DELETE /toggles/{key}", anna.delete("/toggles/new", json=WHY, headers={"if-match": tag})
    yield post("/caps", {"cap": CAP, **WHY})
    tag = anna.get("/caps/daily").headers["etag"]
    edit = {"cap": {**CAP, "limit": 2}, **WHY}
    yield "PUT /caps/{key}", anna.put("/caps/daily", json=edit, headers={"if-match": tag})
    yield post("/caps/{key}/rollback", WHY, key="daily")
    yield post("/fairness/plans", {"plan": PLAN, **WHY})
    tag = anna.get("/fairness/plans/daily").headers["etag"]
    edit = {"plan": {**PLAN, "every_hours": 12}, **WHY}
    yield "PUT /fairness/plans/{key}", anna.put("/fairness/plans/daily", json=edit, headers={"if-match": tag})
    yield post("/fairness/attributes", {"rows": [SAID], "source": "survey", **WHY})
    yield "DELETE /fairness/attributes/{name}", anna.delete("/fairness/attributes/gender", json=WHY)
    yield post("/policies", {"key": "cart", "surface": "cart", **WHY})
    yield post("/policies/{key}/versions", {"document": {"surface": "home"}, **WHY}, key="home")
    card = {"card": CARD, **WHY}
    told = "/versions/{version}/card"
    yield f"PUT /policies/{{key}}{told}", anna.put("/policies/home/versions/2/card", json=card)
    first = post("/changes", ROLLOUT)
    yield first
    change = first[1].json()["change_id"]
    yield (
        "PUT /changes/{change_id}",
        anna.put(f"/changes/{change}", json={"payload": {"version": 2, "steps": [10, 25]}, **WHY}),
    )
    yield post("/changes/{change_id}/submit", WHY, change_id=change)
    yield post("/changes/{change_id}/approve", WHY, bert, change_id=change)
    yield post("/changes/{change_id}/apply", {**WHY, "confirm": "home"}, change_id=change)
    yield post("/policies/{key}/rollout", {"version": 2, "percent": 5, **WHY}, key="home")
    yield post("/policies/{key}/rollback", WHY, key="home")
    gated = anna.post("/changes", json=GATED).json()["change_id"]
    for verb, by in (("submit", anna), ("approve", bert), ("apply", anna)):
        assert by.post(
            f"/changes/{gated}/{verb}", json={**WHY, "confirm": "home"} if verb == "apply" else WHY
        ).is_success
    started = anna.get("/rollouts").json()["rollouts"][0]["rollout_id"]
    for verb in ("pause", "resume", "roll-back"):
        yield post(f"/rollouts/{{rollout_id}}/{verb}", WHY, rollout_id=started)
    fourth = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    anna.post(f"/changes/{fourth}/submit", json=WHY)
    bert.post(f"/changes/{fourth}/approve", json=WHY)
    soon = {"at": NOW + 60_000_000, "confirm": "home", **WHY}
    yield post("/changes/{change_id}/schedule", soon, change_id=fourth)
    emergency = post("/emergencies", {**WHY, "confirm": "test"})
    yield emergency
    declared = emergency[1].json()["emergency_id"]
    yield post("/emergencies/{emergency_id}/review", WHY, bert, emergency_id=declared)
    second = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    yield post("/changes/{change_id}/submit", WHY, change_id=second)
    yield post("/changes/{change_id}/reject", WHY, bert, change_id=second)
    third = anna.post("/changes", json=ROLLOUT).json()["change_id"]
    yield post("/changes/{change_id}/withdraw", WHY, change_id=third)
    yield post("/kill", {"on": True, **WHY})
    hour = {"start": NOW - 3_600_000_000, "end": NOW}
    yield post("/audits/drift/references", {"surface": "home", "reference": hour, **WHY})
    drifted = {"surface": "home", "feature": "click", **WHY}
    yield post("/audits/drift/accept", {"until": NOW + 3_600_000_000, **drifted})
    yield post("/audits/drift/withdraw", drifted)
    for verb in ("opt-out", "opt-in"):
        yield post(f"/consents/{verb}", {"subject": "u-1", "purpose": "tracking", **WHY})
    for verb in ("history", "receipts", "state"):
        yield post(f"/consents/{verb}", {"subject": "u-1", **WHY})
    yield post("/consents/check", {"subjects": ["u-1", "u-2"], "purpose": "email", **WHY})
    yield post("/consents/import", {"csv": "subject,purpose,state\n", "source": "shop", **WHY})
    yield post("/consents/texts", {"purpose": "email", "version": "1", "body": "May we write?", **WHY})
    wanted = {"kind": "consent_platform.declare", "key": "cmp", "payload": {"platform": PLATFORM}, **WHY}
    platform = anna.post("/changes", json=wanted).json()["change_id"]
    for verb, by in (("submit", anna), ("approve", bert), ("apply", anna)):
        assert by.post(
            f"/changes/{platform}/{verb}", json={**WHY, "confirm": "cmp"} if verb == "apply" else WHY
        ).is_success
    yield post("/consents/platforms/{name}/messages", {"who": "u-1", "purpose": "mail", "state": "ACTIVE"}, name="cmp")
    yield "DELETE /consents/platforms/{name}", anna.delete("/consents/platforms/cmp", json=WHY)
    who = {"subject": "u-1", **WHY}
    for right in ("look-up", "objection", "restriction", "restriction/lift"):
        yield post(f"/subjects/{right}", who)
    yield post("/subjects/rectification", {**who, "interests": {"colour=red": 0.5}})
    asked = post("/subjects/requests", {**who, "kind": "erasure"})
    yield asked
    for verb in ("extend", "refuse"):
        yield post(f"/subjects/requests/{{request_id}}/{verb}", WHY, request_id=asked[1].json()["request_id"])
    minted = post("/tokens", {"name": "t", "principal": "tom", "role": "marketer", **WHY})
    yield minted
    yield post("/jobs", {"name": "drift", **WHY})
    yield post("/checks/run", WHY)
    link = post("/own/links", {"subject": "u-1", **WHY})
    yield link
    themselves = Person(client, link[1].json()["token"])
    yield post("/own/opt-out", {"purpose": "tracking"}, themselves)
    yield post("/own/opt-in", {"purpose": "tracking"}, themselves)
    yield post("/whatif", {"arguments": {"policy": "home", "version": 1}, **WHY})
    yield post("/offpolicy", {"arguments": {"log": "bts"}, **WHY})
    yield post("/catalogue/items", {"items": [{"item_id": "a"}], **WHY})
    yield post("/catalogue/syncs", {"name": "shop", "sync": SYNC, **WHY})
    tag = anna.get("/catalogue/syncs/shop").headers["etag"]
    slower = {"sync": {**SYNC, "every_s": 600}, **WHY}
    yield "PUT /catalogue/syncs/{name}", anna.put("/catalogue/syncs/shop", json=slower, headers={"if-match": tag})
    yield post("/catalogue/syncs/{name}/remove", WHY, name="shop")
    yield post("/auth/once", {})
    once = anna.post("/auth/once").json()["once"]
    exchanged = client.post("/control/v1/auth/exchange", json={"once": once})
    yield "POST /auth/exchange", exchanged
    yield post("/auth/logout", {}, Person(client, exchanged.json()["token"]))
    yield post("/tokens/{token_id}/revoke", WHY, token_id=minted[1].json()["token_id"])


ELSEWHERE = {
    "PUT /models/{key}/versions/{version}/card",
    "PUT /consents/platforms/{name}",
    "PUT /settings",
    "POST /rollouts",
    "POST /rollouts/preview",
    "POST /rollouts/{rollout_id}/let-go",
    "POST /models/{name}/promote",
    "POST /models/{name}/rollback",
    "POST /policies/{key}/validate",
    "POST /rules/validate",
    "POST /analytics/person",
    "POST /caps/validate",
    "POST /toggles/validate",
    "POST /toggles/{key}/try",
    "DELETE /caps/{key}",
    "DELETE /fairness/plans/{key}",
}
"""Told in their own tests; those that validate write nothing."""


def test_every_mutating_route_has_its_entry(people: People, sqlite_database: Database, context: ControlContext) -> None:
    counter = Counter(sqlite_database)
    told, anna, bert = set(), people("anna"), people("bert")
    before = counter.entries()
    for route, answer in story(anna, bert, people.client):
        assert answer.is_success, (route, answer.text)
        told.add(route)
        with sqlite_database.read() as read:
            last = ledger.entries(read, limit=1)[0]
        assert last.seq >= before + 1 and last.result == "applied", route
        before = last.seq
    declared = {
        f"{method.upper()} {path.removeprefix('/control/v1')}"
        for path, methods in create_app(context).openapi()["paths"].items()
        for method in methods
        if path.startswith("/control/v1") and method not in {"get", "head"}
    }
    assert told | ELSEWHERE == declared


def test_each_command_is_one_entry(people: People, sqlite_database: Database) -> None:
    counter, anna = Counter(sqlite_database), people("anna")
    for path, body in (
        ("/campaigns", {"campaign": CAMPAIGN, **WHY}),
        ("/policies/home/versions", {"document": {"surface": "home"}, **WHY}),
        ("/changes", ROLLOUT),
        ("/consents/opt-out", {"subject": "u", "purpose": "tracking", **WHY}),
        ("/jobs", {"name": "drift", **WHY}),
        ("/kill", {"on": True, **WHY}),
    ):
        before, state = counter.entries(), counter.state()
        assert anna.post(path, json=body).is_success, path
        assert counter.entries() == before + 1 and counter.state() != state, path


def test_refused_commands_change_nothing_but_the_ledger(people: People, sqlite_database: Database) -> None:
    counter, mary = Counter(sqlite_database), people("mary", "marketer")
    olga = people("olga", "ops")
    state = counter.state()
    for by, path, body in (
        (mary, "/kill", {"on": True, **WHY}),
        (mary, "/policies/home/rollback", WHY),
        (mary, "/consents/opt-out", {"subject": "u", "purpose": "tracking", **WHY}),
        (olga, "/policies/home/rollout", {"version": 2, "percent": 100, "confirm": "home", **WHY}),
        (olga, "/policies/home/rollback", WHY),
        (olga, "/campaigns/men/resume", WHY),
    ):
        before = counter.entries()
        assert by.post(path, json=body).status_code in {403, 409}
        assert counter.entries() == before + 1 and counter.state() == state, path


def test_where_the_ledger_cannot_be_written_nothing_is(control: Control, sqlite_database: Database) -> None:
    counter = Counter(sqlite_database)
    with sqlite3.connect(str(sqlite_database.url.database)) as connection:
        connection.execute(
            "CREATE TRIGGER jam BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'the audit sink is broken'); END"
        )
    state, entries = counter.state(), counter.entries()
    commands: list[Any] = [
        lambda: control.do("campaign.pause", "men", {}, warrant()),
        lambda: control.do("kill.on", "kill_switch", {}, warrant()),
        lambda: control.opt_out("u-1", Purpose.TRACKING, warrant()),
        lambda: control.propose("policy.rollout", "home", {"version": 2, "percent": 50}, warrant()),
        lambda: control.request_job("drift", {}, warrant()),
        lambda: control.once(warrant()),
        lambda: control.do("campaign.pause", "men", {}, warrant("dora", "data_scientist")),
    ]
    for command in commands:
        with pytest.raises(FairleadError):
            command()
    assert counter.state() == state and counter.entries() == entries
    with sqlite_database.read() as read:
        assert revisions.number(read) == 1


@pytest.mark.parametrize("text", PAYLOADS)
def test_hostile_names_stay_plain_data(people: People, sqlite_database: Database, text: str) -> None:
    counter, anna = Counter(sqlite_database), people("anna")
    policies_before = anna.get("/policies").json()
    body = {"campaign": {**CAMPAIGN, "name": text}, "reason": f"{text} and so on"}
    assert anna.post("/campaigns", json=body).status_code == 201
    assert anna.get("/campaigns/sale").json()["campaign"]["name"] == text
    minted = anna.post("/tokens", json={"name": text, "principal": text, "role": "marketer", **WHY})
    if text.isprintable():
        assert minted.status_code == 201
        assert Person(people.client, minted.json()["token"]).get("/me").json()["principal"] == text
    else:
        assert minted.status_code == 422
    entries = counter.entries()
    for path in ("/ledger", "/changes", "/jobs", "/decisions", "/campaigns"):
        for name in ("actor", "action", "object_key", "name", "campaign", "item", "attribute", "value"):
            assert anna.get(path, params={name: text}).status_code == 200, (path, name)
    found = anna.get("/ledger", params={"action": "campaign.create"}).json()["entries"][0]
    assert found["reason"] == f"{text} and so on" and found["after"]["name"] == text
    assert anna.get("/policies").json() == policies_before and counter.entries() >= entries
    for path in ("/campaigns/", "/policies/", "/changes/", "/audits/", "/jobs/"):
        missing = anna.get(httpx.URL(path).copy_with(path=path + text.replace("/", "-")).path)
        assert missing.status_code == 404, path
        assert not re.search(r"<script|onerror", missing.text)


def test_nul_and_endless_numbers_are_refused_politely(people: People) -> None:
    anna = people("anna")
    for path in ("/campaigns/%00", "/ledger?actor=%00", "/decisions/a%00b"):
        assert anna.get(path).status_code == 422, path
    for path in ("/revisions/99999999999999999999999", "/ledger?before_seq=-1", "/ledger?limit=501", "/jobs?state=x"):
        assert anna.get(path).status_code == 422, path
    assert anna.get("/revisions/9").status_code == 404
    token = {"name": "t", "principal": "p", "scopes": ["root"], **WHY}
    assert anna.post("/tokens", json=token).status_code == 422
    assert anna.post("/tokens", json={**token, "scopes": [], "expires_in_s": 10**30}).status_code == 422


def test_a_token_expires(people: People, control: Control, clock: Any) -> None:
    minted = control.mint(
        name="short", principal="p", role="marketer", scopes=(Scope.READ.value,), expires_in_s=60, warrant=warrant()
    )
    short = Person(people.client, minted.token)
    assert short.get("/me").status_code == 200
    clock.at += 61 * 1_000_000
    assert people("x").get("/me").status_code == 200
    assert short.get("/me").status_code == 401
