"""What people state, and whom visitors turn out to be: durable, in force for the very next decision."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.hot.caps import LEAST_CAP, Holder, Shown, Window, Windows
from storage.records import clock
from storage.records.clock import SECOND
from storage.records.consent import Purpose
from storage.records.policies import Policy, PolicyState
from tests.scoring_core.edges.known_people import QUIZ, WITH_PEOPLE, did, liked, meet, prefer, profile
from tests.scoring_core.edges.running import POLICY, Running, install, running


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = install(tmp_path_factory.mktemp("people"), snapshot=WITH_PEOPLE)
    with running(made, lease_s=60.0) as engine:
        yield engine
    made.database.close()


def test_a_profile_tells_what_was_stated_and_what_was_learned(engine: Running) -> None:
    assert profile(engine, "p-0") == {
        "stated": {"attributes": {}, "interests": {}},
        "learned": None,
        "learned_from": "ok",
        "interests": [],
    }
    did(engine, "p-0", "click", 2, session="s", properties={"device": "mobile", "login_level": "authenticated"})
    did(engine, "p-0", "purchase", 4, session="s", value=19.5)
    told = prefer(engine, "p-0", attributes={"age": 31, "sizes": ["M", "S", "M"], "member": True})
    assert told["stated"]["attributes"] == {"age": 31, "sizes": ["M", "S"], "member": True}
    learned = told["learned"]
    assert learned["counted"] == {"clicks": 1, "purchases": 1, "sessions": 1, "mobile": 1, "spend": 19.5}
    assert (learned["events"], learned["login_level"]) == (2, 2)
    assert [(each["item"], each["did"]) for each in learned["recent"]] == [
        ("item-4", ["commitment"]),
        ("item-2", ["interest"]),
    ]
    assert "new" in learned["segments"]
    (interest,) = told["interests"]
    assert (interest["interest"], interest["source"], interest["evidence"]) == ("colour=red", "implicit", 2)
    assert interest["confidence"] == pytest.approx(2 / 5)


def test_what_is_stated_holds_against_what_was_done_before(engine: Running) -> None:
    for _ in range(5):
        did(engine, "p-1", "like", 2)
    assert liked(profile(engine, "p-1"))["colour=red"]["score"] > 0.5
    told = liked(prefer(engine, "p-1", interests={"colour=red": -1.0, "colour=blue": 0.4}))
    assert (told["colour=red"]["score"], told["colour=red"]["source"]) == (-1.0, "stated")
    assert told["colour=blue"]["score"] == pytest.approx(0.4, abs=1e-3)
    assert told["colour=red"]["confidence"] == pytest.approx(0.9)
    did(engine, "p-1", "purchase", 2)
    assert -1.0 < liked(profile(engine, "p-1"))["colour=red"]["score"] < 0.0
    removed = prefer(engine, "p-1", interests={"colour=blue": None})
    assert "colour=blue" not in removed["stated"]["interests"]
    assert "colour=red" in removed["stated"]["interests"]


def test_the_next_decision_fits_what_was_stated(home: Path) -> None:
    chosen = replace(POLICY, match={"colour": "styles"})
    made = install(home, snapshot=replace(WITH_PEOPLE, policies={"home": _serving(chosen)}))
    with running(made, lease_s=60.0) as engine:
        prefer(engine, "p-2", attributes={"styles": ["blue"]})
        shown = {each["item"] for each in engine.decide(subject="p-2", slots=12)["items"]}
        assert shown == {f"item-{n}" for n in range(1, 12, 2)}
        prefer(engine, "p-2", attributes={"styles": None})
        assert len(engine.decide(subject="p-2", slots=12)["items"]) == 12
    made.database.close()


def _serving(policy: Policy) -> PolicyState:
    return PolicyState(key="home", surface="home", stable=1, versions={1: policy})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"attributes": {"shoe": "41"}}, "attributes.1"),
        ({"attributes": {"age": "old"}}, "attributes.age"),
        ({"attributes": {"member": 1}}, "attributes.member"),
        ({"attributes": {"sizes": "M"}}, "attributes.sizes"),
        ({"attributes": {"sizes": ["M|L"]}}, "attributes.sizes"),
        ({"interests": {"red": 1.0}}, "interests.1"),
        ({"interests": {"colour=red": 2.0}}, "interests.1"),
        ({"interests": {f"tag={n}": 1.0 for n in range(21)}}, "interests"),
        ({"wishes": {}}, "wishes"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(engine: Running, body: dict[str, Any], field: str) -> None:
    meet(engine, "p-3")
    answer = engine.client.put("/v1/user/profile/preferences", json={"subject": "p-3", **body})
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, field)
    assert profile(engine, "p-3")["stated"] == {"attributes": {}, "interests": {}}


def test_the_style_quiz_speaks_where_nothing_was_said(engine: Running) -> None:
    assert engine.client.get("/v1/user/quiz").json()["answers"] == QUIZ
    prefer(engine, "p-4", interests={"colour=blue": 1.0})
    answer = engine.client.post("/v1/user/quiz", json={"subject": "p-4", "answers": ["warm", "loud"]})
    told = liked(answer.json())
    assert (told["colour=red"]["score"], told["colour=red"]["source"]) == (0.75, "quiz")
    assert (told["colour=blue"]["score"], told["colour=blue"]["source"]) == (1.0, "stated")
    assert told["colour=red"]["confidence"] == pytest.approx(0.7)
    engine.client.post("/v1/user/quiz", json={"subject": "p-4", "answers": ["loud"]})
    assert liked(profile(engine, "p-4"))["colour=red"]["score"] == 0.5
    wrong = engine.client.post("/v1/user/quiz", json={"subject": "p-4", "answers": ["cold"]})
    assert (wrong.status_code, wrong.json()["problems"][0]["field"]) == (422, "answers.0")


def test_a_visitor_who_logs_in_brings_along_what_is_known(engine: Running) -> None:
    did(engine, "v-5", "click", 1)
    did(engine, "a-5", "purchase", 2)
    prefer(engine, "v-5", attributes={"age": 20, "sizes": ["S"]}, interests={"colour=blue": 1.0})
    prefer(engine, "a-5", attributes={"age": 40})
    joined = engine.client.post("/v1/user/identify", json={"visitor": "v-5", "account": "a-5"})
    assert joined.json() == {"joined": True, "reason": "ok"}
    told = profile(engine, "a-5")
    assert told["learned"]["events"] == 2
    assert told["learned"]["counted"] == {"clicks": 1, "purchases": 1, "sessions": 2}
    assert told["stated"]["attributes"] == {"age": 40, "sizes": ["S"]}
    assert liked(told)["colour=blue"]["source"] == "stated"
    left = profile(engine, "v-5")
    assert left["stated"] == {"attributes": {}, "interests": {}}
    assert left["learned"] is None or left["learned"]["events"] == 0
    again = engine.client.post("/v1/user/identify", json={"visitor": "v-5", "account": "a-5"})
    assert again.json()["joined"]
    assert profile(engine, "a-5")["learned"]["events"] == 2


def test_what_a_visitor_was_shown_counts_for_the_account(engine: Running) -> None:
    did(engine, "v-13", "click", 1)
    did(engine, "a-13", "click", 1)
    visitor, account = (engine.replica.identities.cached(raw) or "" for raw in ("v-13", "a-13"))
    store, cap = engine.replica.rationing._store, LEAST_CAP
    shown = Shown(Holder(visitor), 1, clock.now() // SECOND, ((cap, 7),))
    asyncio.run(store.impressed([shown], Windows({cap: Window(cap, 5, 3_600)})))
    engine.client.post("/v1/user/identify", json={"visitor": "v-13", "account": "a-13"})
    assert not asyncio.run(store.counted(Holder(visitor))).rows
    counts = asyncio.run(store.counted(Holder(account))).tally(Windows({cap: Window(cap, 5, 3_600)})).by_counter()
    assert counts == {(cap, 7): 1}


def test_nothing_joins_without_consent(engine: Running) -> None:
    did(engine, "v-6", "click", 1)
    meet(engine, "a-6")
    engine.installed.say("a-6", "denied", Purpose.PROFILING)
    time.sleep(0.1)
    joined = engine.client.post("/v1/user/identify", json={"visitor": "v-6", "account": "a-6"})
    assert joined.json() == {"joined": False, "reason": "no_consent"}
    assert profile(engine, "v-6")["learned"]["events"] == 1


def test_without_profiling_a_decision_knows_what_was_stated_alone(engine: Running) -> None:
    did(engine, "p-7", "click", 2)
    prefer(engine, "p-7", attributes={"age": 5})
    engine.installed.say("p-7", "denied", Purpose.PROFILING)
    engine.until(lambda: profile(engine, "p-7")["learned"]["events"] == 0)
    record = engine.client.get(f"/v1/decisions/{engine.decide(subject='p-7')['decision_id']}").json()
    assert record["user_events"] == 0
    engine.installed.say("p-7", "denied")
    engine.until(lambda: profile(engine, "p-7")["learned"] is None)
    assert profile(engine, "p-7")["learned_from"] == "no_consent"
    assert profile(engine, "p-7")["stated"]["attributes"] == {"age": 5}


def test_feedback_and_recommendations_are_events_and_decisions(engine: Running) -> None:
    meet(engine, "p-8")
    body = {"subject": "p-8", "item": "item-1", "value": 5.0, "event_id": "rated"}
    assert engine.client.post("/api/v1/user/feedback", json=body).status_code == 202
    assert profile(engine, "p-8")["learned"]["counted"]["ratings"] == 1
    wrong = engine.client.post("/v1/user/feedback", json={"subject": "p-8", "type": "explode"})
    assert (wrong.status_code, wrong.json()["problems"][0]["field"]) == (422, "type")
    asked = {"subject": "p-8", "surface": "home", "slots": 4}
    made = engine.client.get("/api/v1/user/recommendations", params=asked).json()
    assert len(made["items"]) == 4
    assert made["items"][0]["sentences"]
    refused = engine.client.get("/v1/user/recommendations", params=asked | {"slots": "0"})
    assert refused.json()["problems"][0]["field"] == "slots"


def test_interactions_wishlist_and_history_are_read_from_the_log(engine: Running) -> None:
    did(engine, "p-9", "wishlist", 1)
    did(engine, "p-9", "wishlist", 2)
    did(engine, "p-9", "purchase", 2)
    prefer(engine, "p-9", interests={"colour=red": 1.0})
    told = engine.client.get("/api/v1/personalization/interactions/p-9").json()
    assert [(each["type"], each["item"]) for each in told["interactions"]] == [
        ("purchase", "item-2"),
        ("wishlist", "item-2"),
        ("wishlist", "item-1"),
    ]
    assert [each["item"] for each in told["wishlist"]] == ["item-1"]
    days = engine.client.get("/v1/user/interests/history", params={"subject": "p-9"}).json()["days"]
    assert {each["interest"]: each["score"] for each in days[-1]["interests"]} == pytest.approx(
        {name: each["score"] for name, each in liked(profile(engine, "p-9")).items()}, abs=1e-4
    )


def test_a_person_is_learned_anew_from_the_log(engine: Running) -> None:
    for n in range(200):
        did(engine, "p-10", "click", n % 12)
    did(engine, "v-10", "click", 3)
    engine.client.post("/v1/user/identify", json={"visitor": "v-10", "account": "p-10"})
    before = profile(engine, "p-10")
    answer = engine.client.post("/api/v1/personalization/profile/p-10/recompute")
    assert answer.json()["recomputed_from"] == 201
    after = profile(engine, "p-10")
    assert after["learned"]["events"] == before["learned"]["events"] == 201
    assert after["learned"]["counted"]["clicks"] == 201
    assert {each["item"] for each in after["learned"]["recent"]} == {f"item-{n}" for n in range(12)}
    assert [each["interest"] for each in after["interests"]] == [each["interest"] for each in before["interests"]]


def test_no_token_no_profile(engine: Running) -> None:
    weak = {"authorization": f"Bearer {engine.installed.token('decide')}"}
    engine.until(lambda: engine.client.get("/v1/user/quiz", headers=weak).status_code == 200)
    for method, path, scope in (
        ("GET", "/v1/user/profile?subject=p", "decision:read"),
        ("PUT", "/v1/user/profile/preferences", "events:write"),
        ("GET", "/v1/user/interests/history?subject=p", "decision:read"),
        ("POST", "/v1/personalization/profile/p/recompute", "events:write"),
    ):
        answer = engine.client.request(method, path, headers=weak)
        assert (answer.status_code, scope in answer.text) == (403, True)
        assert engine.client.request(method, path, headers={"authorization": ""}).status_code == 401
