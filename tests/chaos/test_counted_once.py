"""R21, R24: events that arrive several times, out of order and across restarts count once; wrong clocks are told.

``FAIRLEAD_TEST_OUTCOMES`` sets on how many decisions (2,000 in the published figure).
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.client import Client
from collectors.journal import poll_journal
from collectors.targets import targets
from fairlead.wiring import open_store
from storage import cells
from storage.records import clock
from storage.records.clock import DAY, MINUTE
from tests.chaos.accounts import holes, settle
from tests.chaos.plants import Plant, planted

DECISIONS = int(os.environ.get("FAIRLEAD_TEST_OUTCOMES", "60"))
SEED = int(os.environ.get("FAIRLEAD_TEST_SEED", "20261120"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Plant]:
    with planted(tmp_path / "home") as plant:
        plant.start()
        yield plant


def outcomes(plant: Plant, rng: random.Random) -> list[dict[str, Any]]:
    """Ask for decisions; return an impression of each and a click on a third of them, a millisecond later."""
    made: list[dict[str, Any]] = []
    with plant.client() as client:
        for number in range(DECISIONS):
            about = {"subject": f"u-{number}", "surface": "home", "campaign": "men"}
            told = client.post("/v1/personalize", json=about | {"slots": 1}).json()
            about |= {"decision_id": told["decision_id"], "item": told["items"][0]["item"]}
            seen, kinds = clock.now(), ("impression", "click")[: 1 + (rng.random() < 1 / 3)]
            made += [
                {"type": kind, "event_id": f"{kind}-{number}", "at": seen + 1_000 * place, **about}
                for place, kind in enumerate(kinds)
            ]
    return made


def batches(events: list[dict[str, Any]], rng: random.Random) -> list[list[dict[str, Any]]]:
    """Repeat each event one to five times, shuffle all, cut the result at random."""
    sends = [event for event in events for _ in range(rng.randint(1, 5))]
    rng.shuffle(sends)
    cut = []
    while sends:
        size = rng.randint(1, 25)
        cut.append(sends[:size])
        sends = sends[size:]
    return cut


def clicks_counted(journal: list[dict[str, Any]]) -> tuple[int, int]:
    """Return impressions and clicks of all items, as the newest item features hold them."""
    rows: dict[str, list[float]] = {}
    for entry in journal:
        if entry["kind"] == "epoch":
            rows = (rows if not entry["record"]["keyframe"] else {}) | entry["record"]["rows"]
    return int(sum(row[0] for row in rows.values())), int(sum(row[1] for row in rows.values()))


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_each_event_counts_once_however_often_and_whenever_it_comes(engine: Plant) -> None:
    plant, rng = engine, random.Random(SEED)
    began = clock.now()
    events = outcomes(plant, rng)
    waves = batches(events, rng)
    accepted = duplicates = 0
    for place, batch in enumerate(waves):
        if place == len(waves) // 3:
            plant.until(lambda: plant.counter("fairlead_item_epochs_total", result="published") >= 1)
            plant.kill()
            plant.start()
        if place == 2 * len(waves) // 3:
            assert plant.stop() == 0
            plant.start()
        with plant.client() as client:
            answer = client.post("/v1/events", json=batch)
        assert answer.status_code == 202, answer.text
        accepted += answer.json()["accepted"]
        duplicates += answer.json()["duplicates"]
    assert plant.stop() == 0
    plant.start()
    sends = sum(map(len, waves))
    ids = [event["event_id"] for event in events]
    clicked = [event for event in events if event["type"] == "click"]
    journal = plant.journal()
    account = settle(
        sent=ids,
        acknowledged=ids,
        stored=[entry["record"]["event_id"] for entry in journal if entry["kind"] == "event"],
    )
    print(f"seed {SEED}: {len(events)} events sent {sends} times in {len(waves)} batches over three lives:")
    print(f"{accepted} accepted, {duplicates} duplicates, {account.stored} stored, {len(account.lost)} lost,")
    print(f"{len(account.twice)} twice; {len(clicked)} clicks; item features hold {clicks_counted(journal)}")
    assert account.balanced, account
    assert (accepted, duplicates) == (len(events), sends - len(events))
    assert holes(entry["seq"] for entry in journal) == ()
    assert clicks_counted(journal) == (len(events) - len(clicked), len(clicked))
    assert counted_by_collectors(plant, began) == (DECISIONS, DECISIONS, len(clicked), len(clicked))
    for event in clicked[:20]:
        assert known_events(plant, event["subject"]) == 2, "the impression and the click"


def known_events(plant: Plant, subject: str) -> int:
    with plant.client() as client:
        told = client.post("/v1/personalize", json={"surface": "home", "subject": subject}).json()
        found: int = client.get(f"/v1/decisions/{told['decision_id']}").json()["user_events"]
    return found


def counted_by_collectors(plant: Plant, began: int) -> tuple[int, int, int, int]:
    """Collect the journal and return decisions, impressions, clicks and decisions with a click, as pages show them."""
    store = open_store(plant.settings)
    with store.database.read() as read:
        (target,) = targets(read, now=clock.now())
    while poll_journal(store.database, store.lake, target, Client(plant.token), now=clock.now).more:
        pass
    with store.database.read() as read:
        (total,) = cells.totals(read, start=began - DAY, end=clock.now() + DAY, by=())
    store.database.close()
    return total.decisions, total.impressions, total.clicks, total.hit_decisions


@pytest.mark.e2e
def test_a_clock_ten_minutes_off_is_told_and_changes_no_count(engine: Plant) -> None:
    now = clock.now()
    offsets = {"late": -10 * MINUTE, "ancient": -30 * DAY, "ahead": 10 * MINUTE, "slightly": 4 * MINUTE, "right": 0}

    def click(name: str, at: int, *, text: bool = False) -> dict[str, Any]:
        spelled = datetime.fromtimestamp(at / 1e6, UTC).isoformat() if text else at
        return {"type": "click", "event_id": name, "item": "item-2", "subject": "u-clock", "at": spelled}

    with engine.client() as client:
        sent = [click(name, now + offset) for name, offset in offsets.items()]
        answer = client.post("/v1/events", json=sent).json()
        single = client.post("/v1/events", json=click("ahead-alone", now + 10 * MINUTE, text=True))
        mended = client.post("/v1/events", json=click("ahead", now + 1, text=True))
    assert (answer["accepted"], answer["dead_letters"]) == (4, 1)
    assert [(each["index"], each["code"], each["field"]) for each in answer["problems"]] == [(2, "clock_ahead", "at")]
    assert (single.status_code, single.json()["problems"][0]["field"]) == (422, "at")
    assert mended.json() == {"stored": "full", "accepted": 1, "duplicates": 0}
    journal = engine.journal()
    stored = {entry["record"]["event_id"]: entry["record"] for entry in journal if entry["kind"] == "event"}
    letters = [entry["record"] for entry in journal if entry["kind"] == "dead_letter"]
    assert {name: record["at"] - now for name, record in stored.items()} == (offsets | {"ahead": 1})
    assert all(abs(record["received_at"] - now) < 5 * MINUTE for record in stored.values())
    assert [(letter["event_id"], letter["code"]) for letter in letters] == [
        ("ahead", "clock_ahead"),
        ("ahead-alone", "clock_ahead"),
    ]
    assert "u-clock" not in str(journal)
    assert known_events(engine, "u-clock") == 5
    assert engine.counter("fairlead_event_ingest_lag_seconds_count", type="click") == 5
    assert engine.counter("fairlead_event_ingest_lag_seconds_sum", type="click") >= (10 * MINUTE + 30 * DAY) / 1e6
