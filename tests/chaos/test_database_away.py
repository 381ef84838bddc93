"""The control database goes away and comes back: decisions go on, personalized only while the lease holds.

``FAIRLEAD_TEST_OUTAGE_S`` sets for how long (60 in the published figure).
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage.database import Database
from storage.errors import Unavailable
from tests.chaos.accounts import settle
from tests.chaos.callers import answers, ask, asking, events, statuses
from tests.chaos.faults import Mode, Relay
from tests.chaos.plants import Plant, planted

OUTAGE_S = float(os.environ.get("FAIRLEAD_TEST_OUTAGE_S", "6"))
LEASE_S = 2.0
STALE_S = 30.0
"""After so long without a look at the revisions an engine is not ready."""
SUBJECTS = [f"u-{number}" for number in range(8)]


@pytest.fixture
def relay(postgres_url: str) -> Iterator[Relay]:
    """A relay to a real PostgreSQL."""
    real = make_url(postgres_url)
    made = Relay(str(real.query.get("host") or real.host), int(str(real.query.get("port") or real.port or 5432)))
    yield made
    made.close()


def through(relay: Relay, url: str) -> str:
    """Return the URL of the same database behind the relay."""
    return make_url(url).set(host="127.0.0.1", port=relay.port, query={}).render_as_string(hide_password=False)


@pytest.fixture
def relayed(tmp_path: Path, relay: Relay, postgres_url: str) -> Iterator[tuple[Plant, Relay]]:
    """An engine that reaches its database through a relay."""
    with planted(tmp_path / "home", database_url=through(relay, postgres_url)) as plant:
        yield plant, relay


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["refuse", "silent"])
def test_without_its_database_an_engine_serves_the_default_experience(relayed: tuple[Plant, Relay], mode: Mode) -> None:
    plant, relay = relayed
    plant.start()
    with plant.client() as client:
        for subject in SUBJECTS:
            assert ask(client, subject).served_by == "model"
        acknowledged = []
        with asking(plant, SUBJECTS, callers=3) as askers:
            relay.set(mode)
            cut = time.monotonic()
            while time.monotonic() < cut + OUTAGE_S:
                ids = [f"{len(acknowledged)}-{number}" for number in range(10)]
                taken = client.post("/v1/events", json=events(ids, subject=f"new-{len(acknowledged)}"))
                assert taken.status_code == 202, taken.text
                acknowledged += ids
                time.sleep(0.2)
            degraded = client.get("/readyz")
            stranger = ask(client, "nobody-saw-me-before")
            relay.set("relay")
            mended = time.monotonic()
            plant.until(lambda: ask(client, SUBJECTS[0]).served_by == "model")
            plant.until(lambda: ask(client, "nobody-saw-me-before").served_by == "model")
            back = time.monotonic() - mended
            plant.until(plant.ready)
            time.sleep(0.5)
        given = answers(askers)
    during = [answer for answer in given if cut <= answer.asked_at < mended]
    late = [answer for answer in during if answer.asked_at > cut + LEASE_S]
    kinds = {(answer.served_by, answer.reason) for answer in late}
    waited = max(answer.seconds for answer in during)
    print(
        f"{mode} for {OUTAGE_S:.0f} s: {dict(statuses(given))}; {len(late)} of {len(during)} decisions after the lease,"
    )
    print(f"{kinds}; slowest {waited:.2f} s; personalized again {back:.1f} s after it was back")
    assert statuses(given).keys() == {200}
    assert late
    assert kinds == {("default", "consent_stale")}
    assert (stranger.status, stranger.served_by) == (200, "default")
    assert {"db", "consent_stale"} & set(degraded.json()["degraded"])
    assert degraded.status_code == (503 if OUTAGE_S > STALE_S + 1 else 200)
    journal = plant.journal()
    stored = [entry["record"] for entry in journal if entry["kind"] == "event"]
    ids = [event["event_id"] for event in stored]
    assert settle(sent=acknowledged, acknowledged=acknowledged, stored=ids).balanced
    assert {event["stored"] for event in stored[-50:]} == {"aggregate"}
    recorded = {entry["record"]["decision_id"]: entry["record"] for entry in journal if entry["kind"] == "decision"}
    assert {answer.decision_id for answer in given} <= recorded.keys()
    for answer in late:
        record = recorded[answer.decision_id]
        assert (record["subject"], record["user_vector"], record["context"]) == (None, None, {})
    assert "Traceback" not in plant.said


@pytest.mark.e2e
def test_a_connection_that_was_forgotten_is_given_up(relayed: tuple[Plant, Relay]) -> None:
    """What was asked while the peer was silent is never answered: another machine took its place meanwhile."""
    plant, relay = relayed
    plant.start()
    with plant.client() as client:
        assert ask(client, SUBJECTS[0]).served_by == "model"
        relay.set("silent")
        plant.until(lambda: ask(client, SUBJECTS[0]).reason == "consent_stale")
        ask(client, "nobody-saw-me-before")
        relay.forget()
        plant.until(lambda: ask(client, SUBJECTS[0]).served_by == "model")
        plant.until(lambda: ask(client, "nobody-saw-me-before").served_by == "model")


def test_a_server_that_went_silent_is_given_up_and_found_again(relay: Relay, postgres_url: str) -> None:
    database = Database(through(relay, postgres_url), timeout_s=1.0)
    try:
        for silence in range(2):
            with database.write() as write:
                assert write.first(text("SELECT 1"))[0] == 1
            if silence:
                with pytest.raises(Unavailable), database.write() as write:
                    write.execute(text("SELECT 2"))
                    relay.set("silent")
            else:
                relay.set("silent")
                with pytest.raises(Unavailable), database.read() as read:
                    read.first(text("SELECT 2"))
            relay.forget()
        with pytest.raises(Unavailable), database.read() as read:
            read.first(text("SELECT pg_sleep(20)"))
        with database.read() as read:
            assert read.first(text("SELECT 3"))[0] == 3
    finally:
        database.close()


def test_a_connection_that_is_lost_after_its_last_answer_is_an_error_of_the_house(
    relay: Relay, _postgres_migrated: str
) -> None:
    database = Database(through(relay, _postgres_migrated), timeout_s=1.0)
    try:
        with pytest.raises(Unavailable), database.read() as read:
            assert read.first(text("SELECT 1"))[0] == 1
            relay.set("refuse")
            raise Unavailable("the caller's own")
        relay.set("relay")
        with pytest.raises(Unavailable), database.write() as write:
            assert write.first(text("SELECT 1"))[0] == 1
            relay.set("refuse")
    finally:
        database.close()


@pytest.mark.e2e
def test_a_database_that_another_program_keeps_locked_stops_nobody_who_is_known(tmp_path: Path) -> None:
    with planted(tmp_path / "home") as plant, plant.client() as client:
        plant.start()
        assert {ask(client, subject).served_by for subject in SUBJECTS} == {"model"}
        path = plant.settings.home / "fairlead.db"
        with (
            asking(plant, SUBJECTS, callers=2) as askers,
            closing(sqlite3.connect(path, isolation_level=None)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            locked = time.monotonic()
            stranger = ask(client, "nobody-saw-me-before")
            taken = client.post("/v1/events", json=events(["locked"], subject=SUBJECTS[0]))
            plant.until(lambda: time.monotonic() > locked + 2 * LEASE_S)
            other.execute("ROLLBACK")
            plant.until(lambda: ask(client, "nobody-saw-me-before").served_by == "model")
        given = answers(askers)
        print(f"locked: {dict(statuses(given))}, a stranger waited {stranger.seconds:.2f} s")
        assert statuses(given).keys() == {200}
        assert {answer.served_by for answer in given} == {"model"}
        assert (stranger.status, stranger.served_by) == (200, "default")
        assert (taken.status_code, taken.json()["stored"]["full"]) == (202, 1)
        assert "Traceback" not in plant.said
