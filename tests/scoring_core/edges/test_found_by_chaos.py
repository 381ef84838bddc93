"""What chaos found in the engine's edges: each fails on main until it is mended there."""

import sqlite3
import time
from pathlib import Path

import httpx

from tests.chaos.callers import events
from tests.chaos.plants import planted
from tests.scoring_core.edges.running import Installed, Running, running

PERSON = "kea@parrot.example"


def test_the_names_of_properties_are_not_said_again(engine: Running) -> None:
    """intake.bad_scalar: Problem(field=f"properties.{name}") needs mistakes.safe_name(name)."""
    for value in (2**53 + 1, "x" * 2_000):
        event = {"type": "click", "item": "item-1", "properties": {"<script>canary": value}}
        for body in (event, [event]):
            answer = engine.client.post("/v1/events", json=body)
            assert answer.status_code == 422
            assert "canary" not in answer.text


def test_a_dead_letter_names_nobody_however_deep(engine: Running) -> None:
    """intake.flawed: drops subject and session of the outermost object only; a batch with one unknown field beside
    "events" is kept whole, every raw subject in it."""
    event = {"type": "click", "subject": PERSON, "session": PERSON}
    for body in ({"events": [event], "batch_id": 1}, [{"type": "click", "properties": [event]}], [[event]]):
        assert engine.client.post("/v1/events", json=body).status_code == 422
    assert PERSON not in str(engine.journal())


def test_an_unknown_field_beside_events_is_the_one_that_is_named(engine: Running) -> None:
    """rest.events._object: the answer now says that "events" is unknown."""
    answer = engine.client.post("/v1/events", json={"events": [{"type": "click"}], "batch_id": 1})
    assert answer.json()["problems"][0]["field"] == "batch_id"


def test_an_engine_that_does_not_know_the_tokens_yet_says_503_and_not_401(tmp_path: Path) -> None:
    """auth.Door: principals start as {} and every valid token is "unknown, expired or revoked" until the first look;
    a caller that believes it throws its token away. Start with None and refuse with 503 until it is set."""
    with planted(tmp_path / "home") as plant:
        plant.start(ready=False)
        seen, end = set(), time.monotonic() + 30
        while 202 not in seen and time.monotonic() < end:
            try:
                with plant.client() as client:
                    seen.add(client.post("/v1/events", json=events(["e-1"])).status_code)
            except httpx.TransportError:
                continue
        assert 401 not in seen, seen


def test_events_before_the_first_item_epoch_survive_a_kill_in_the_item_features(installed: Installed) -> None:
    """memory.continue_epochs returns log.head() where the log holds no epoch yet, so nothing is noted again:
    return max(0, head - LOOK_BACK)."""
    with running(installed) as engine:
        assert engine.client.post("/v1/events", json=events([f"e-{n}" for n in range(10)])).status_code == 202
        journal = engine.journal()
    assert [entry["kind"] for entry in journal] == ["event"] * 10, "an epoch came first; run it again"
    with sqlite3.connect(installed.home / "logs" / "engine-0.db") as log:  # as a kill leaves it: no last epoch
        log.execute("DELETE FROM entries WHERE seq > 10")
        log.execute("DELETE FROM keys WHERE seq > 10")
    with running(installed) as engine:
        engine.until(lambda: engine.replica.follower.items.values[:, 1].sum() == 10, seconds=5.0)
