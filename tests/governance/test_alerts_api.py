"""Alerts and objectives over the API: what people do has its reason, its entry and its limits; each sees their own."""

from typing import Any

import pytest

from governance.alerts.noise import noisy
from storage import alerts, deliveries, ledger
from storage.database import Database
from storage.records.clock import HOUR, MINUTE

from .alarms import firing
from .conftest import NOW, REASON, Clock
from .served import People

WHY = {"reason": REASON}


def put(database: Database, *found: Any) -> None:
    with database.write() as write:
        for each in found:
            alerts.save(write, each)


def last(database: Database) -> ledger.LedgerEntry:
    with database.read() as read:
        return ledger.entries(read, limit=1)[0]


def test_somebody_looks_after_it_and_it_says_how_soon(people: People, sqlite_database: Database) -> None:
    put(sqlite_database, firing())
    olga = people("olga", "ops")
    found = olga.get("/alerts").json()
    assert (found["firing"], found["alerts"][0]["state"]) == (1, "firing")
    answer = olga.post("/alerts/a-1/acknowledge", json=WHY)
    assert answer.status_code == 200, answer.text
    entry = last(sqlite_database)
    assert (entry.action, entry.object_key, entry.actor, entry.reason) == ("alert.acknowledge", "a-1", "olga", REASON)
    shown = olga.get("/alerts/a-1").json()
    assert (shown["state"], shown["acked_by"], shown["ack_after_us"]) == ("acknowledged", "olga", MINUTE)
    assert shown["runbook"]["mend"] and olga.get("/alerts").json()["firing"] == 0
    assert people("otto", "ops").post("/alerts/a-1/acknowledge", json=WHY).status_code == 409
    assert olga.post("/alerts/a-1/resolve", json={"reason": "short"}).status_code == 422
    assert olga.post("/alerts/a-1/resolve", json=WHY).json()["resolved_by"] == "olga"
    assert olga.post("/alerts/a-1/acknowledge", json=WHY).status_code == 409
    assert olga.post("/alerts/none/acknowledge", json=WHY).status_code == 404


def test_a_silence_has_an_end(people: People, sqlite_database: Database, clock: Clock) -> None:
    rights = firing(alert_id="a-2", name="consent", fingerprint="check:consent", cause="rights")
    put(sqlite_database, firing(), rights)
    olga = people("olga", "ops")
    for minutes in (0, -1, 1441, None):
        assert olga.post("/alerts/a-1/silence", json={"minutes": minutes, **WHY}).status_code == 422
    assert olga.post("/alerts/a-1/silence", json=WHY).status_code == 422
    made = olga.post("/alerts/a-1/silence", json={"minutes": 1440, **WHY}).json()
    assert made["until"] == NOW + 24 * HOUR
    refused = olga.post("/alerts/a-2/silence", json={"minutes": 61, **WHY})
    assert refused.status_code == 422 and "1 to 60 minutes" in refused.json()["detail"]
    assert olga.post("/alerts/a-2/silence", json={"minutes": 60, **WHY}).status_code == 200
    states = {one["alert_id"]: one["state"] for one in olga.get("/alerts").json()["alerts"]}
    assert states == {"a-1": "silenced", "a-2": "silenced"}
    clock.at += HOUR
    states = {one["alert_id"]: one["state"] for one in olga.get("/alerts").json()["alerts"]}
    assert states == {"a-1": "silenced", "a-2": "firing"}
    assert olga.post("/alerts/a-1/lift", json=WHY).status_code == 200
    assert last(sqlite_database).action == "alert.lift"
    assert olga.post("/alerts/a-1/lift", json=WHY).status_code == 409
    assert olga.get("/alerts").json()["firing"] == 2


def test_each_sees_and_answers_their_own(people: People, sqlite_database: Database) -> None:
    put(
        sqlite_database,
        firing(),
        firing(alert_id="a-2", name="ctr", fingerprint="check:ctr", audience="campaigns"),
        firing(alert_id="a-3", name="drift", fingerprint="check:drift", audience="models"),
    )
    seen = {
        role: {one["alert_id"] for one in people(f"a {role}", role).get("/alerts").json()["alerts"]}
        for role in ("marketer", "data_scientist", "ops", "admin")
    }
    assert seen == {
        "marketer": {"a-2"},
        "data_scientist": {"a-2", "a-3"},
        "ops": {"a-1", "a-2", "a-3"},
        "admin": {"a-1", "a-2", "a-3"},
    }
    mia = people("mia", "marketer")
    assert mia.get("/alerts/a-1").status_code == 404
    assert mia.post("/alerts/a-1/acknowledge", json=WHY).status_code == 404
    assert mia.post("/alerts/a-2/acknowledge", json=WHY).status_code == 200
    assert mia.post("/alerts/test", json={"name": "errors", **WHY}).status_code == 404
    assert people("app", "service").post("/alerts/a-2/resolve", json=WHY).status_code == 403


def test_a_test_is_marked_and_sent_to_who_would_be_told(people: People, sqlite_database: Database) -> None:
    olga = people("olga", "ops")
    tried = olga.post("/alerts/test", json={"name": "ctr", **WHY}).json()
    assert tried["test"] and tried["resolved_at"] == NOW
    with sqlite_database.read() as read:
        sent = deliveries.of_alerts(read, [tried["alert_id"]])
    assert {(one.destination, one.occasion) for one in sent} == {("desk", "test"), ("shop", "test")}
    assert last(sqlite_database).after == {"name": "ctr", "destinations": ["desk", "shop"]}
    assert olga.get("/alerts").json()["firing"] == 0
    assert olga.post("/alerts/test", json={"name": "none", **WHY}).status_code == 404
    assert "127.0.0.1" not in olga.get("/alerts").text


def test_what_comes_again_and_again_unanswered_is_noise() -> None:
    again = [firing(alert_id=f"a-{n}", fires=2) for n in range(3)]
    (one,) = noisy(again, [])
    assert (one.fires, one.fingerprint) == (6, "check:errors")
    assert noisy(again[:2], []) == []
    assert noisy([*again, firing(alert_id="b", acked_at=NOW)], []) == []
    assert noisy([*again, firing(alert_id="b", resolved_at=NOW, resolved_by="olga")], []) == []
    assert len(noisy([*again, firing(alert_id="b", resolved_at=NOW, resolved_by="system")], [])) == 1


def test_objectives_are_the_houses_until_somebody_writes_them(people: People, sqlite_database: Database) -> None:
    olga = people("olga", "ops")
    found = {one["slo"]["key"]: one for one in olga.get("/slos").json()["slos"]}
    assert found["availability"]["own"] is False and found["availability"]["left"] is None
    tighter = {"key": "availability", "indicator": "availability", "objective": 0.9995}
    made = olga.post("/slos", json={"slo": tighter, **WHY})
    assert made.status_code == 201, made.text
    assert last(sqlite_database).action == "slo.create"
    shown = olga.get("/slos/availability")
    assert shown.json()["own"] and shown.json()["slo"]["objective"] == 0.9995
    tag = {"if-match": shown.headers["etag"]}
    looser = {**tighter, "objective": 0.9}
    answer = olga.put("/slos/availability", json={"slo": looser, "confirm": "availability", **WHY}, headers=tag)
    assert answer.status_code == 409 and "approve" in answer.text
    assert olga.delete("/slos/availability", json=WHY, headers=tag).status_code == 200
    assert olga.get("/slos/availability").json()["own"] is False
    assert olga.get("/slos/none").status_code == 404
    assert people("mia", "marketer").post("/slos", json={"slo": tighter, **WHY}).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"indicator": "luck"}, "slo.indicator"),
        ({"objective": 1.0}, "slo.objective"),
        ({"windows": []}, "slo.windows"),
        ({"windows": [{"long_s": 300, "short_s": 300, "factor": 1}]}, "slo.windows"),
        ({"key": "a b"}, "slo.key"),
        ({"strange": 1}, "slo.strange"),
    ],
)
def test_an_objective_that_cannot_be_is_refused_by_its_field(people: People, wrong: dict[str, Any], field: str) -> None:
    slo = {"key": "mine", "indicator": "latency", "objective": 0.9} | wrong
    answer = people("olga", "ops").post("/slos", json={"slo": slo, **WHY})
    assert answer.status_code == 422 and field in [one["field"] for one in answer.json()["problems"]], answer.text
