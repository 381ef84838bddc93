"""Decisions over HTTP: what is answered, what is recorded, what is refused."""

import json
import time
from typing import Any

import pytest

from storage.records.access import ROLES
from tests.scoring_core.edges.running import ITEMS, Installed, Running, running


def test_a_decision_answers_as_promised_and_is_recorded(engine: Running) -> None:
    answer = engine.decide(subject="u-1", session="s-1", campaign="men", slots=3, context={"mood": "calm", "age": 4})
    assert set(answer) == {
        "decision_id", "served_by", "reason", "items", "confidence", "policy", "model", "arms", "revision",
    }  # fmt: skip
    assert answer["served_by"] == "model"
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3]
    assert answer["policy"] == {"key": "home", "version": 1}
    shown = engine.client.get(f"/v1/decisions/{answer['decision_id']}")
    assert shown.status_code == 200
    record = shown.json()
    assert record["items"] == [item["item"] for item in answer["items"]]
    assert record["context"] == {"mood": "calm", "age": 4}
    assert record["replica"] == "engine-0"
    assert record["origin"] == "live"
    assert record["subject"] not in (None, "u-1")
    assert record["session"] not in (None, "s-1")
    assert record["sequence"] == 1
    assert len(record["candidates"]) == len(record["scores"]) == ITEMS
    again = engine.decide(subject="u-1", session="s-1")
    assert engine.client.get(f"/v1/decisions/{again['decision_id']}").json()["sequence"] == 2


def test_a_decision_replays_exactly_and_is_explained(engine: Running) -> None:
    engine.client.post("/v1/events", json={"type": "click", "item": "item-5", "subject": "u-r"})
    time.sleep(1.2)
    answer = engine.decide(subject="u-r", slots=5)
    assert answer["items"][0]["item"] == "item-5"
    replayed = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert replayed["verdict"] == "exact", replayed
    explained = engine.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").json()
    assert explained["attributions"] == "exact"
    assert [one["feature"] for one in explained["items"][0]["contributions"]] == ["stat.popularity"]
    assert explained["items"][0]["sentences"] == ["Popular with many people"]


def test_rerank_orders_the_callers_candidates_only(engine: Running) -> None:
    named = ["item-3", "item-1", "nothing", "item-2"]
    answer = engine.client.post("/v1/rerank", json={"surface": "home", "subject": "u-1", "candidates": named}).json()
    assert sorted(item["item"] for item in answer["items"]) == ["item-1", "item-2", "item-3"]
    refused = engine.client.post("/v1/rerank", json={"surface": "home"})
    assert refused.status_code == 422
    assert refused.json()["problems"] == [{"field": "candidates", "message": "is required"}]


def test_no_candidate_is_an_answer_and_no_error(engine: Running) -> None:
    answer = engine.decide(subject="u-1", candidates=[])
    assert (answer["items"], answer["reason"], answer["served_by"]) == ([], "no_candidates", "default")
    assert engine.decide(subject="u-1", candidates=["gone"])["items"] == []


def test_the_paths_of_the_briefs_answer_too(engine: Running) -> None:
    answer = engine.client.post("/api/v1/personalize", json={"surface": "home"})
    assert answer.status_code == 200
    assert engine.client.get(f"/api/v1/decisions/{answer.json()['decision_id']}").status_code == 200


def test_an_anonymous_caller_gets_the_default_experience(engine: Running) -> None:
    answer = engine.decide(candidates=["item-9", "item-4"], context={"mood": "wild"})
    assert (answer["served_by"], answer["reason"]) == ("default", "anonymous")
    assert [item["item"] for item in answer["items"]] == ["item-9", "item-4"]
    record = engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert (record["subject"], record["session"], record["context"]) == (None, None, {})


NOT_A_NUMBER = "must be a finite number"
UNDECLARED = "is not declared for this surface"
NO_SCALAR = "Expected bool or int or float or str, got array"
HUGE = b'{"surface": "home", "context": {"age": 1%s}}' % (b"0" * 300)
DEEP = b'{"surface": "home", "context": ' + b'{"a":' * 3_000 + b"1" + b"}" * 3_001


@pytest.mark.parametrize(
    ("body", "status", "field", "message"),
    [
        (b'{"surface": "home", "context": {"age": NaN}}', 422, "context.age", NOT_A_NUMBER),
        (b'{"surface": "home", "context": {"age": -Infinity}}', 422, "context.age", NOT_A_NUMBER),
        (b'{"surface": "home", "context": {"age": 1e999}}', 422, "context.age", NOT_A_NUMBER),
        (b'{"surface": "home", "slots": 1e999}', 422, "slots", NOT_A_NUMBER),
        (b'{"surface": "home", "context": {"age": "nan"}}', 422, "context.age", "must be a number"),
        (b'{"surface": "home", "context": {"age": true}}', 422, "context.age", "must be a number"),
        (b'{"surface": "home", "context": {"mood": 3}}', 422, "context.mood", "must be text"),
        (b'{"surface": "home", "context": {"member": 1}}', 422, "context.member", "must be true or false"),
        (b'{"surface": "home", "context": {"mood": [1]}}', 422, "context.mood", NO_SCALAR),
        (HUGE, 422, "context.age", "is beyond 2^53; send a string"),
        (b'{"surface": "home", "context": {"secret": "x"}}', 422, "context.secret", UNDECLARED),
        (b'{"surface": "home", "context": {"<script>": "x"}}', 422, "context.(unprintable name)", UNDECLARED),
        (b'{"surface": "home", "colour": "red"}', 422, "colour", "is not a known field"),
        (b'{"surface": "home", "<script>": "red"}', 422, "(unprintable name)", "is not a known field"),
        (b'{"surface": "home", "slots": "three"}', 422, "slots", "Expected int or null, got str"),
        (b'{"surface": "home", "slots": 0}', 422, "slots", "Expected int >= 1"),
        (b'{"surface": "home", "slots": 21}', 422, "slots", "is above this surface's 20"),
        (b'{"surface": "home", "candidates": ["a", 3]}', 422, "candidates[1]", "Expected str, got int"),
        (b'{"surface": "nowhere"}', 422, "surface", "is not a known surface"),
        (b'{"surface": "home", "campaign": "![x](http://evil)"}', 422, "campaign", "is not a known campaign"),
        (b'{"surface": "home", "campaign": "away"}', 422, "campaign", "does not run on this surface"),
        (b'{"subject": "u-1"}', 422, "surface", "is required"),
        (b'{"surface": "home", "subject": "\xff\xfe"}', 422, "subject", "is not valid UTF-8 text"),
        (DEEP, 422, "body", "is nested too deeply"),
        (b"[" * 3_000, 422, "body", "is nested too deeply"),
        (b"[1]", 422, "body", "Expected object, got array"),
        (b'{"surface": ', 400, "body", "is not valid JSON"),
        (b"", 400, "body", "is not valid JSON"),
        (b"surface=home", 400, "body", "is not valid JSON"),
    ],
)  # fmt: skip
def test_a_bad_body_is_refused_by_name_and_never_echoed(
    engine: Running, body: bytes, status: int, field: str, message: str
) -> None:
    answer = engine.client.post("/v1/personalize", content=body)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), answer.text
    assert problem["problems"][0] == {"field": field, "message": message}
    assert set(problem) == {"type", "title", "status", "code", "detail", "problems"}
    assert "script" not in answer.text
    assert "evil" not in answer.text


def test_a_body_above_a_mebibyte_is_cut_off_while_it_streams(engine: Running) -> None:
    sent = 0

    def stream() -> Any:
        nonlocal sent
        for _ in range(200):
            sent += 65_536
            yield b" " * 65_536

    for content in (b" " * ((1 << 20) + 1), stream()):
        answer = engine.client.post("/v1/personalize", content=content)
        assert answer.status_code == 413
        assert answer.json()["code"] == "FL-1413"
    exact = json.dumps({"surface": "home"}).encode().ljust(1 << 20)
    assert engine.client.post("/v1/personalize", content=exact).status_code == 200
    packed = engine.client.post("/v1/personalize", content=b"x", headers={"content-encoding": "gzip"})
    assert packed.status_code == 415


def test_a_million_keys_are_refused_shortly(engine: Running) -> None:
    body = json.dumps({"surface": "home", "context": {str(n): 1 for n in range(80_000)}}).encode()
    answer = engine.client.post("/v1/personalize", content=body)
    assert answer.status_code == 422
    assert len(answer.content) < 4_096


def test_who_may_not_is_told_so(installed: Installed) -> None:
    with running(installed) as engine:
        body = {"surface": "home"}

        def status(token: str | None) -> int:
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            return engine.client.post("/v1/personalize", json=body, headers={"authorization": ""} | headers).status_code

        assert status(None) == 401
        assert status("fl_wrong") == 401
        assert status("x" * 5_000) == 401
        other = installed.token("events:write")
        engine.until(lambda: status(other) == 403)
        short = installed.token("decide", expires_at=time.time_ns() // 1_000 + 2_500_000)
        engine.until(lambda: status(short) == 200)
        engine.until(lambda: status(short) == 401)
        from storage import tokens

        good = installed.token("decide")
        engine.until(lambda: status(good) == 200)
        with installed.database.write() as write:
            newest = tokens.listed(write)[0]
            tokens.revoke(write, newest.token_id, time.time_ns() // 1_000)
        engine.until(lambda: status(good) == 401)
        refused = engine.client.post("/v1/personalize", json=body, headers={"authorization": "Basic x"})
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert good not in refused.text


def test_every_scope_is_asked_for(engine: Running) -> None:
    nothing = engine.installed.token(*sorted(ROLES["marketer"]))
    headers = {"authorization": f"Bearer {nothing}"}
    engine.until(lambda: engine.client.get("/v1/journal", headers=headers).status_code == 403)
    for method, path in (
        ("POST", "/v1/personalize"), ("POST", "/v1/rerank"), ("POST", "/v1/events"), ("GET", "/v1/decisions/x"),
        ("GET", "/v1/decisions/x/replay"), ("GET", "/v1/decisions/x/explanation"), ("GET", "/v1/journal"),
        ("GET", "/v1/metrics/windows"), ("GET", "/metrics"),
    ):  # fmt: skip
        assert engine.client.request(method, path, headers=headers).status_code == 403, path
    assert engine.client.get("/healthz", headers={"authorization": ""}).status_code == 200


def test_what_does_not_exist_says_so(engine: Running) -> None:
    assert engine.client.get("/v1/decisions/none").status_code == 404
    missing = engine.client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "FL-1404")
    assert engine.client.get("/v1/personalize").status_code == 405
    assert engine.client.post("/healthz").status_code == 405


def test_a_simulated_caller_is_marked(engine: Running) -> None:
    token = engine.installed.token("decide", "events:write", "simulate")
    headers = {"authorization": f"Bearer {token}"}
    body = {"surface": "home", "subject": "u-s"}
    engine.until(lambda: engine.client.post("/v1/personalize", json=body, headers=headers).status_code == 200)
    answer = engine.client.post("/v1/personalize", json=body, headers=headers).json()
    assert engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()["origin"] == "simulated"
