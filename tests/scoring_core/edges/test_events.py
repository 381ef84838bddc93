"""Events over HTTP: durable, counted once, stripped of what is not consented, learned before they are acknowledged."""

import json
import time
from typing import Any

import pytest

from storage.records.clock import MINUTE, now
from storage.records.consent import Purpose
from tests.scoring_core.edges.running import Installed, Running, running


def click(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "click", "event_id": event_id, "item": "item-1", "surface": "home"} | fields


def since(engine: Running, head: int) -> list[dict[str, Any]]:
    return [entry for entry in engine.journal(head) if entry["kind"] in ("event", "dead_letter")]


def head(engine: Running) -> int:
    found: int = engine.client.get("/v1/journal", params={"limit": 1}).json()["head"]
    return found


def test_an_acknowledged_event_is_in_the_journal_and_seen_by_the_next_decision(engine: Running) -> None:
    before = head(engine)
    for n in range(3):
        answer = engine.client.post("/v1/events", json=click(f"first-{n}", subject="u-new", session="s", value=2.5))
        assert answer.status_code == 202
        assert answer.json() == {"stored": "full", "accepted": 1, "duplicates": 0}
        decision = engine.decide(subject="u-new")
        record = engine.client.get(f"/v1/decisions/{decision['decision_id']}").json()
        assert record["user_events"] == n + 1
    events = [entry["record"] for entry in since(engine, before)]
    assert [event["event_id"] for event in events] == ["first-0", "first-1", "first-2"]
    assert all(event["subject"] == record["subject"] and event["value"] == 2.5 for event in events)
    assert all("u-new" not in json.dumps(event) for event in events)


def test_an_event_counts_once(engine: Running) -> None:
    before = head(engine)
    batch = [click("twice"), click("twice"), click("once")]
    first = engine.client.post("/v1/events", json={"events": batch}).json()
    assert (first["accepted"], first["duplicates"]) == (2, 1)
    second = engine.client.post("/v1/events", json=batch[::-1]).json()
    assert (second["accepted"], second["duplicates"]) == (0, 3)
    assert engine.client.post("/v1/events", json=click("twice")).json()["stored"] == "duplicate"
    assert len(since(engine, before)) == 2


def test_bad_neighbours_do_not_keep_good_events_out(engine: Running) -> None:
    before = head(engine)
    good = [click(f"good-{n}", subject="u-1") for n in range(992)]
    bad: list[tuple[str, str, str]] = [
        ('{"type": "click", "value": NaN, "subject": "u-secret"}', "value", "malformed"),
        ('{"type": "click", "value": "x", "subject": "u-secret"}', "value", "malformed"),
        ('{"event_id": "no-type", "session": "s-secret"}', "type", "malformed"),
        ('{"type": "click", "colour": 1}', "colour", "malformed"),
        ('"text"', "body", "malformed"),
        ('{"type": "explode", "properties": {"who": "secret"}}', "type", "unknown_type"),
        ('{"type": "click", "surface": "nowhere"}', "surface", "unknown_surface"),
        ('{"type": "click", "campaign": "<script>"}', "campaign", "unknown_campaign"),
    ]
    parts = [json.dumps(event) for event in good]
    for place, (text, _, _) in enumerate(bad):
        parts.insert(place * 100, text)
    answer = engine.client.post("/v1/events", content="[" + ",".join(parts) + "]")
    assert answer.status_code == 202
    taken = answer.json()
    assert (taken["accepted"], taken["dead_letters"], taken["duplicates"]) == (992, 8, 0)
    assert [(each["index"], each["field"], each["code"]) for each in taken["problems"]] == [
        (place * 100, field, code) for place, (_, field, code) in enumerate(bad)
    ]
    entries = since(engine, before)
    letters = [entry["record"] for entry in entries if entry["kind"] == "dead_letter"]
    assert [(letter["field"], letter["code"]) for letter in letters] == [(field, code) for _, field, code in bad]
    assert letters[2]["event_id"] == "no-type"
    assert "secret" not in json.dumps(letters)
    assert len(entries) == 1_000


def test_broken_bytes_in_a_batch(engine: Running) -> None:
    lines = [json.dumps(click("line-1")).encode(), b'{"type": "click", "item": "\xff"}', b"{broken", b"", b"[1]"]
    answer = engine.client.post(
        "/v1/events", content=b"\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 202
    assert [(each["index"], each["field"]) for each in answer.json()["problems"]] == [
        (1, "item"),
        (2, "body"),
        (3, "body"),
    ]
    inside = b'[{"type": "click", "event_id": "line-2"}, {"type": "click", "item": "\xff"}]'
    assert engine.client.post("/v1/events", content=inside).json()["accepted"] == 1
    assert engine.client.post("/v1/events", content=b'[{"type": "click"}, {"type": ').status_code == 400


def test_clocks_that_run_ahead_are_quarantined(engine: Running) -> None:
    before = head(engine)
    ahead = engine.client.post("/v1/events", json=click("ahead", at=now() + 10 * MINUTE))
    assert ahead.status_code == 422
    assert ahead.json()["problems"][0]["field"] == "at"
    behind = engine.client.post("/v1/events", json=click("behind", at=now() - 10 * MINUTE))
    assert behind.json()["stored"] == "full"
    named = engine.client.post("/v1/events", json=click("named", at="2026-01-02T03:04:05+01:00"))
    assert named.json()["stored"] == "full"
    kinds = [(entry["kind"], entry["record"].get("code")) for entry in since(engine, before)]
    assert kinds == [("dead_letter", "clock_ahead"), ("event", None), ("event", None)]
    assert engine.client.post("/v1/events", json=click("naive", at="2026-01-02T03:04:05")).status_code == 422
    assert engine.client.post("/v1/events", json=click("ahead", at=now())).json()["stored"] == "full"


def test_a_batch_of_nothing_good_is_refused(engine: Running) -> None:
    answer = engine.client.post("/v1/events", json=[{"type": "explode"}, 4])
    assert answer.status_code == 422
    assert answer.json()["dead_letters"] == 2
    assert engine.client.post("/v1/events", json=[]).json()["accepted"] == 0
    single = engine.client.post("/v1/events", json={"type": "explode", "subject": "u-1"})
    assert single.json()["problems"] == [{"field": "type", "message": "is not a declared event type"}]


def test_without_tracking_consent_only_what_happened_is_kept(installed: Installed) -> None:
    installed.say("u-private", "denied", Purpose.TRACKING)
    with running(installed) as engine:
        answer = engine.client.post(
            "/v1/events",
            json=click("e", subject="u-private", session="s", campaign="men", properties={"a": 1}, decision_id="d"),
        )
        assert answer.status_code == 202
        assert answer.json()["stored"] == "aggregate"
        (entry,) = since(engine, 0)
        record = entry["record"]
        assert record["stored"] == "aggregate"
        assert (record["type"], record["item"], record["surface"], record["campaign"]) == (
            "click",
            "item-1",
            "home",
            "men",
        )
        gone = ("subject", "session", "decision_id", "value")
        assert [record[name] for name in gone] == [None] * 4
        assert record["properties"] == {}
        decision = engine.decide(subject="u-private")
        shown = engine.client.get(f"/v1/decisions/{decision['decision_id']}").json()
        assert shown["user_vector"] is None
        engine.until(lambda: engine.replica.popularity.epoch > 0)


def test_restarts_forget_neither_events_nor_interests_nor_item_features(installed: Installed) -> None:
    with running(installed) as engine:
        for n in range(4):
            engine.client.post("/v1/events", json=click(f"r-{n}", subject="u-1", item="item-7"))
        time.sleep(1.2)
        before = engine.decide(subject="u-1")
        old = engine.client.get(f"/v1/decisions/{before['decision_id']}").json()
    with running(installed) as engine:
        engine.until(lambda: engine.decide(subject="u-1")["items"][0]["item"] == "item-7")
        after = engine.until(
            lambda: (
                (record := engine.client.get(f"/v1/decisions/{engine.decide(subject='u-1')['decision_id']}").json())[
                    "user_events"
                ]
                and record
            )
        )
        assert after["user_events"] == old["user_events"] == 4
        assert after["subject"] == old["subject"]
        assert engine.client.post("/v1/events", json=click("r-0")).json()["stored"] == "duplicate"
        assert engine.client.get(f"/v1/decisions/{before['decision_id']}/replay").json()["verdict"] == "exact"


@pytest.mark.parametrize("size", [1_000])
def test_a_thousand_events_are_one_batch(engine: Running, size: int) -> None:
    batch = [click(f"bulk-{n}", subject=f"u-{n % 50}") for n in range(size)]
    answer = engine.client.post("/v1/events", json=batch)
    assert answer.json()["stored"] == {"full": size, "aggregate": 0}
