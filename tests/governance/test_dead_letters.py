"""Refused events are sent again without their person, entered, and forgotten only where an engine took them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import dead_letters, ledger, receipts
from storage.database import Database
from storage.records import clock
from storage.records.changes import Receipt
from storage.tables.observed import DeadLetterRow
from storage.upserts import insert_new

from .conftest import NOW
from .served import People, serving

ASK = {"code": "unknown_type", "reason": "the type is declared by now"}
FINDING = {"verdict": "WARN", "check": "home", "found": "low", "remedy": "free some space"}


class Engine:
    """An engine that takes every event but those of the type ``odd``."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away", request=request)
        assert request.url.path == "/v1/events"
        held = orjson.loads(request.content)["events"]
        self.events += held
        odd = sum(event["type"] == "odd" for event in held)
        told = {"accepted": len(held) - odd, "duplicates": 0, "dead_letters": odd}
        return httpx.Response(422 if odd == len(held) else 202, json=told)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def people(control: Control, context: ControlContext, engine: Engine, sqlite_database: Database) -> Iterator[People]:
    payloads = ('{"type":"click","event_id":"a","at":5}', '{"type":"click"}', '{"type":"odd"}', '{"type":"cli')
    receipt = Receipt(
        replica="e", boot_id="b", url="http://engine", revision=1, consent_epoch=0, at=clock.now(), started_at=1
    )
    with sqlite_database.write() as write:
        receipts.report(write, receipt)
        for seq, payload in enumerate(payloads):
            row = {"replica": "e", "log": "l", "seq": seq, "received_at": NOW + seq, "event_id": None}
            more = {"code": "unknown_type", "field": "type", "reason": "is not declared", "payload": payload}
            insert_new(write, DeadLetterRow, row | more)
        insert_new(write, DeadLetterRow, row | more | {"seq": 9, "code": "malformed"})
    with httpx.Client(transport=httpx.MockTransport(engine.answer)) as asked:
        app = create_app(replace(context, client=asked, examine=lambda: [FINDING]))
        with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            yield People(control, client)


def left(database: Database) -> dict[str, int]:
    with database.read() as read:
        return dead_letters.codes(read)


def test_events_are_sent_again_under_an_id_and_entered(
    people: People, engine: Engine, sqlite_database: Database
) -> None:
    answer = people("olga", "ops").post("/system/dead-letters/requeue", json=ASK)
    assert answer.status_code == 200, answer.text
    told = {"code": "unknown_type", "sent": 3, "taken": 2, "duplicates": 0, "refused": 1, "unreadable": 1, "left": 1}
    assert answer.json() == told
    assert [(event["event_id"], event["at"]) for event in engine.events] == [
        ("a", 5),
        ("again-e-l-1", NOW + 1),
        ("again-e-l-2", NOW + 2),
    ]
    assert left(sqlite_database) == {"malformed": 1, "unknown_type": 1}
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert (entry.actor, entry.action, entry.object_key) == ("olga", "dead_letters.requeue", "unknown_type")
    assert entry.after == told and entry.reason == ASK["reason"]


def test_nothing_is_forgotten_that_no_engine_took(people: People, engine: Engine, sqlite_database: Database) -> None:
    engine.away = True
    answer = people("olga", "ops").post("/system/dead-letters/requeue", json=ASK)
    assert answer.status_code == 503 and "try again" in answer.json()["detail"]
    assert left(sqlite_database) == {"malformed": 1, "unknown_type": 4}


def test_a_code_that_is_not_kept_a_short_reason_and_a_marketer_are_refused(people: People) -> None:
    olga = people("olga", "ops")
    assert olga.post("/system/dead-letters/requeue", json=ASK | {"code": "bad_value"}).status_code == 404
    assert olga.post("/system/dead-letters/requeue", json=ASK | {"reason": "why"}).status_code == 422
    assert people("mary", "marketer").post("/system/dead-letters/requeue", json=ASK).status_code == 403


def test_the_doctor_is_asked_by_who_may_read_metrics(people: People) -> None:
    assert people("olga", "ops").get("/system/doctor").json()["findings"] == [FINDING]
    assert people("mary", "marketer").get("/system/doctor").status_code == 403
