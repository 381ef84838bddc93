"""How an engine does without: its database or its store away, taken away, replaced, or closed to its reports."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from storage import receipts
from tests.scoring_core.edges.relay import Wire
from tests.scoring_core.edges.running import Installed, install, running


@pytest.fixture
def wired(home: Path, postgres_url: str) -> Iterator[tuple[Installed, Wire]]:
    """An installation on PostgreSQL, whose engine reaches it by a wire that can be cut."""
    real = make_url(postgres_url)
    wire = Wire(str(real.query.get("host") or real.host), int(str(real.query.get("port") or real.port or 5432)))
    made = install(home, postgres_url)
    url = real.set(host="127.0.0.1", port=wire.port, query={}).render_as_string(hide_password=False)
    yield replace(made, url=url), wire
    wire.close()
    made.database.close()


def test_a_lost_database_gives_the_default_experience_and_comes_back(wired: tuple[Installed, Wire]) -> None:
    installed, wire = wired
    with running(installed, lease_s=1.0, policy_stale_s=2.0) as engine:
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
        wire.cut()
        end = time.monotonic() + 1.0 + 0.3
        while time.monotonic() < end:
            engine.decide(subject="u-1")
        stale = engine.decide(subject="u-1", candidates=["item-2", "item-1"])
        assert (stale["served_by"], stale["reason"]) == ("default", "consent_stale")
        assert [item["item"] for item in stale["items"]] == ["item-2", "item-1"]
        assert engine.decide(subject="u-unseen")["served_by"] == "default"
        taken = engine.client.post("/v1/events", json={"type": "click", "subject": "u-1", "item": "item-1"})
        assert (taken.status_code, taken.json()["stored"]) == (202, "aggregate")
        engine.until(lambda: engine.client.get("/readyz").status_code == 503)
        assert {"db", "consent_stale", "policy_stale"} <= set(engine.client.get("/readyz").json()["degraded"])
        wire.mend()
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
        engine.until(lambda: engine.decide(subject="u-unseen")["served_by"] == "model")
        engine.until(lambda: engine.client.get("/readyz").status_code == 200)
        text = engine.client.get("/metrics").text
        assert 'fairlead_http_requests_total{method="POST",route="/v1/personalize",status_class="5xx"} 0.0' in text


def test_a_database_file_that_is_taken_away_stops_personalization_until_it_is_back(installed: Installed) -> None:
    path = installed.home / "fairlead.db"
    with running(installed, lease_s=1.0) as engine:
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
        path.rename(path.with_suffix(".away"))
        engine.until(lambda: engine.decide(subject="u-1")["reason"] == "consent_stale")
        engine.decide(subject="u-unseen")
        time.sleep(1.2)
        assert not path.exists()
        path.with_suffix(".away").rename(path)
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
        installed.say("u-1", "denied")
        engine.until(lambda: engine.decide(subject="u-1")["reason"] == "no_consent")


def test_a_database_file_that_was_replaced_is_read(installed: Installed, tmp_path: Path) -> None:
    path = installed.home / "fairlead.db"
    with running(installed) as engine:
        assert engine.decide(subject="u-1")["served_by"] == "model"
        installed.database.close()
        engine.replica.database.close()
        with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "copy.db") as copy:
            source.backup(copy)
        copy.close()
        source.close()
        (tmp_path / "copy.db").replace(path)
        installed.say("u-1", "denied")
        engine.until(lambda: engine.decide(subject="u-1")["reason"] == "no_consent")


def test_replicas_that_share_a_store_share_what_they_learned(installed: Installed, redis_url: str) -> None:
    parts = make_url(redis_url)
    wire = Wire(str(parts.host), int(parts.port or 6379))
    url = parts.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
    with running(installed, redis_url=url) as one, running(installed, redis_url=url, replica="engine-1") as two:
        click = {"type": "click", "item": "item-3", "subject": "u-1"}

        def shared() -> bool:
            """Whether what one learned is known to the other; the store has 50 ms, a busy machine may need longer."""
            assert one.client.post("/v1/events", json=click).status_code == 202
            shown = two.decide(subject="u-1")
            return bool(two.client.get(f"/v1/decisions/{shown['decision_id']}").json()["user_events"])

        one.until(shared)
        wire.cut()
        assert one.decide(subject="u-1")["served_by"] == "model"
        assert one.client.post("/v1/events", json=click).status_code == 202
        assert one.decide(subject="u-1")["served_by"] == "model"
        assert "redis" in one.client.get("/readyz").json()["degraded"]
        with installed.database.read() as read:
            assert [receipt.replica for receipt in receipts.receipts(read)] == ["engine-0", "engine-1"]
    wire.close()


def test_who_cannot_report_personalizes_nobody_since_no_acknowledgement_waits_for_it(installed: Installed) -> None:
    jam = "CREATE TRIGGER jam BEFORE {} ON replica_receipts BEGIN SELECT RAISE(ABORT, 'no more reports'); END"
    with running(installed, report_s=2.0, lease_s=1.0) as engine:
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
        with sqlite3.connect(installed.home / "fairlead.db") as other:
            other.execute(jam.format("UPDATE"))
        engine.until(lambda: engine.decide(subject="u-1")["reason"] == "consent_stale")
        with sqlite3.connect(installed.home / "fairlead.db") as other:
            other.execute("DROP TRIGGER jam")
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
