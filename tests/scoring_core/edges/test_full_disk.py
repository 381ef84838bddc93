"""No room left: events are refused, nothing acknowledged is lost, and decisions go on."""

from functools import partial

import pytest

from scoring_core.edges import replica
from storage.eventlog.embedded import EmbeddedLog
from tests.scoring_core.edges.running import Installed, running

ROOM = 400_000


def test_a_full_disk_stops_intake_and_nothing_else(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "EmbeddedLog", partial(EmbeddedLog, max_bytes=ROOM))
    with running(installed) as engine:
        acknowledged: list[str] = []
        refused = None
        for number in range(200):
            ids = [f"e-{number}-{n}" for n in range(50)]
            batch = [{"type": "click", "event_id": each, "item": "item-1", "subject": "u-1"} for each in ids]
            answer = engine.client.post("/v1/events", json=batch)
            if answer.status_code != 202:
                refused = answer
                break
            acknowledged += ids
        assert refused is not None
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["code"] == "FL-1507"
        assert "Nothing was stored" in refused.json()["detail"]
        for _ in range(50):
            assert engine.decide(subject="u-1")["served_by"] == "model"
        assert "audit" in engine.client.get("/readyz").json()["degraded"]
        stored = {entry["record"]["event_id"] for entry in engine.journal() if entry["kind"] == "event"}
        assert set(acknowledged) <= stored
