"""Erasure on one replica: nothing of a person is left in memory, counts, caches and log, and others keep everything."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from storage import erasure, profiles
from storage.hot.caps import Holder
from storage.keys import Keys
from storage.pseudonyms import Salts, lookup
from storage.records.caps import Cap
from storage.records.clock import now
from storage.records.consent import Consented, Purpose
from storage.records.policies import Attribute
from storage.records.profiles import Profile
from storage.signed import verified
from tests.scoring_core.edges.running import INSTALLATION, SNAPSHOT, Installed, Running, install, running

SETTINGS = replace(INSTALLATION, attributes={"size": Attribute(type="string")})
CAPPED = replace(SNAPSHOT, installation=SETTINGS, caps={"daily": Cap(key="daily", limit=50)})


@pytest.fixture(params=["memory", "redis"])
def engine(request: pytest.FixtureRequest, home: Path):
    made = install(home, snapshot=CAPPED)
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    with running(made, redis_url=url) as one:
        one.replica.erasing._settled_s = 0.1
        yield one
    made.database.close()


def lived(engine: Running, raw: str, session: str) -> str:
    """Let someone look, click and state something; return one of their decisions."""
    known = {"subject": raw, "session": session}
    first = engine.decide(**known)
    item = first["items"][0]["item"]
    events = [
        {"type": kind, "item": item, "decision_id": first["decision_id"], "surface": "home", **known}
        for kind in ("impression", "click")
    ]
    assert engine.client.post("/v1/events", json=events).status_code == 202
    assert engine.client.put("/v1/user/interests", json={"subject": raw, "interests": {"colour=red": 0.5}}).is_success
    return str(engine.decide(**known)["decision_id"])


def order(installed: Installed, raw: str) -> tuple[str, int]:
    """Do in the database what control does when an erasure begins."""
    keys = Keys.open(installed.home)
    found = Salts(installed.database, keys.lookup).find(raw)
    assert found is not None
    with installed.database.write() as write:
        known = erasure.traces(write, found, lookup(raw, keys.lookup))
        number = erasure.order(write, "erase", subjects=known.subjects, request_id="r", at=now())
        erasure.forget(write, known)
    return found, number


def state(engine: Running, subject: str):
    who = Consented(subject)
    return ask(engine, engine.replica.hot.state(who)), ask(
        engine, engine.replica.rationing._store.counted(Holder(subject))
    ).rows


def ask(engine: Running, work):
    return asyncio.run_coroutine_threadsafe(work, engine._loop).result(5)


def test_nothing_is_left_of_a_person_and_others_keep_everything(engine: Running) -> None:
    anna, bert = lived(engine, "anna", "s-anna"), lived(engine, "bert", "s-bert")
    installed = engine.installed
    other = Salts(installed.database, Keys.open(installed.home).lookup).find("bert")
    before_login = {"type": "click", "item": "item-1", "session": "s-anna"}
    assert engine.client.post("/v1/events", json=before_login).status_code == 202
    subject, number = order(installed, "anna")
    assert state(engine, other)[0] is not None
    engine.until(lambda: engine.replica.erasing.number == number)
    engine.until(lambda: engine.replica.details()["erased_to"] == number)
    assert state(engine, subject) == (None, b"")
    user, rows = state(engine, other)
    assert user is not None and rows
    assert engine.replica.identities.cached("anna") is None and engine.replica.identities.cached("bert") == other
    assert not engine.replica.follower.consent.denied(subject, Purpose.PERSONALIZATION)
    session = engine.replica.session_key("s-anna")
    assert ask(engine, engine.replica.rationing._store.counted(Holder(session, session=True))).rows == b""
    logs = b"".join(path.read_bytes() for path in (installed.home / "logs").iterdir() if path.is_file())
    assert subject.encode() not in logs and session.encode() not in logs and other.encode() in logs
    kinds = [entry["kind"] for entry in engine.journal()]
    assert kinds.count("erased") == 5 and kinds.count("decision") == 2
    replayed = engine.client.get(f"/v1/decisions/{anna}/replay").json()
    assert replayed["verdict"] == "erased" and verified(replayed["tombstone"], engine.replica.keys.public_pem)
    told = engine.client.get(f"/v1/decisions/{anna}")
    assert told.status_code == 404 and "erased" in told.json()["detail"]
    assert engine.client.get(f"/v1/decisions/{bert}/replay").json()["verdict"] == "exact"
    again = engine.decide(subject="anna", session="s-anna")
    fresh = Salts(installed.database, Keys.open(installed.home).lookup).find("anna")
    assert again["items"]
    assert fresh is not None and fresh != subject


def test_an_order_from_before_the_start_is_done_before_anything_is_learned_again(home: Path) -> None:
    made = install(home, snapshot=CAPPED)
    with running(made) as engine:
        lived(engine, "anna", "s-anna")
        time.sleep(0.1)
    subject, number = order(made, "anna")
    with running(made) as engine:
        engine.until(lambda: engine.replica.erasing.number == number)
        engine.until(lambda: not engine.replica.follower.consent.denied(subject, Purpose.PERSONALIZATION))
        assert state(engine, subject) == (None, b"")
        assert {entry["kind"] for entry in engine.journal()} <= {"erased", "epoch"}
    made.database.close()


def test_a_start_after_who_spoke_last_was_erased_is_ready(home: Path) -> None:
    made = install(home, snapshot=CAPPED)
    made.say("bert", "denied")
    spoken = made.say("anna", "denied")
    order(made, "anna")
    with running(made) as engine:
        consent = engine.replica.follower.consent
        assert consent.epoch == spoken
        assert engine.decide(subject="bert")["reason"] == "no_consent"
        spoken = made.say("carl", "denied")
        order(made, "carl")
        engine.until(lambda: consent.epoch == spoken)
    made.database.close()


def test_what_control_rectified_reaches_the_store(engine: Running) -> None:
    lived(engine, "anna", "s-anna")
    installed = engine.installed
    subject = Salts(installed.database, Keys.open(installed.home).lookup).find("anna")
    with installed.database.write() as write:
        profiles.state(write, subject, Profile(attributes={"size": "M"}), at=now())
        number = erasure.order(write, "restate", subjects=(subject,), request_id="r", at=now())
    engine.until(lambda: engine.replica.erasing.number == number)
    engine.until(lambda: (found := state(engine, subject)[0]) is not None and found.attributes.get("size") == "M")
