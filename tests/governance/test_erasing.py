"""An erasure leaves nothing anywhere, waits for who has not done it, and says so signed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from governance.control import Control
from governance.erasing import Erasing
from governance.portability import Exporting, file_of
from governance.subjects import NOTHING_KEPT
from storage import consent, erasure, ledger, subject_requests
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import MINUTE
from storage.records.consent import Purpose
from storage.records.requests import Traces
from storage.signed import verified

from .conftest import Clock, warrant
from .lived import RAW, approved, lived, person


@pytest.fixture
def erasing(
    control: Control, sqlite_database: Database, lake: Lake, home: Path, keys: Keys, clock: Clock
) -> Callable[..., Erasing]:
    def make(**more: Any) -> Erasing:
        return Erasing(
            database=sqlite_database,
            lake=lake,
            home=home,
            keys=keys,
            control=control,
            recount=len,
            now=clock,
            **more,
        )

    return make


def test_an_erasure_leaves_nothing_and_says_so_signed(
    control: Control,
    sqlite_database: Database,
    lake: Lake,
    home: Path,
    keys: Keys,
    clock: Clock,
    erasing: Callable[..., Erasing],
) -> None:
    subject = person(sqlite_database, keys)
    other = person(sqlite_database, keys, "bert")
    lived(sqlite_database, lake, subject)
    control.opt_in(RAW, Purpose.TRACKING, warrant("olga", "ops"))
    control.opt_in("bert", Purpose.TRACKING, warrant("olga", "ops"))
    request = control.subjects.register(RAW, "erasure", warrant("olga", "ops"))
    assert request.state == "open" and subject not in json.dumps(request.subject)
    approved(control, clock, request)
    with sqlite_database.read() as read:
        assert consent.history(read, subject) == [] and len(consent.history(read, other)) == 1
        (order,) = erasure.orders(read, 0)
        assert order.kind == "erase" and order.subjects == (subject,)
    assert erasing().step(request.request_id) == {"state": "running", "rows": 3, "looked": 1}
    assert erasing().step(request.request_id)["looked"] == 1
    clock.at += 2 * MINUTE
    done = erasing().step(request.request_id)
    assert done["state"] == "done", done
    receipt = done["receipt"]
    assert verified(receipt, keys.public_pem)
    assert receipt["erased"]["lake"] == {"decisions": 1, "events": 2} and receipt["verified"]["found"] == {}
    assert receipt["erased"]["database"]["subject_salts"] == 1
    assert erasing().step(request.request_id) == {"state": "done"}
    with sqlite_database.read() as read:
        after = subject_requests.find(read, request.request_id)
        assert after.traces == Traces() and after.receipt == receipt and erasure.orders(read, 0) == []
        tombstone = erasure.tombstone(read, "d-1", keys.public_pem)
        assert tombstone is not None and verified(tombstone, keys.public_pem)
        assert len(lake.acts(read, "b" * 32, limit=9)) == 1
        assert ledger.verify(read, keys=keys, anchors=ledger.Anchors(home / "a.jsonl", keys.signing)).ok
        entries = ledger.entries(read, limit=500)
    spoken = json.dumps([entry.after for entry in entries]) + "".join(entry.object_key for entry in entries)
    assert subject not in spoken and RAW not in spoken
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".parquet")
    assert subject.encode() not in held and RAW.encode() not in held and other.encode() in held
    again = control.subjects.register(RAW, "erasure", warrant("olga", "ops"))
    assert again.state == "done" and again.receipt is not None and again.receipt["outcome"] == NOTHING_KEPT


def test_a_replica_that_has_not_done_it_is_waited_for(
    control: Control,
    sqlite_database: Database,
    keys: Keys,
    clock: Clock,
    erasing: Callable[..., Erasing],
    monkeypatch: Any,
) -> None:
    from governance import erasing as module
    from tests.governance.test_consent import report

    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    person(sqlite_database, keys)
    request = control.subjects.register(RAW, "erasure", warrant("olga", "ops"))
    approved(control, clock, request)
    report(sqlite_database, "slow", 0, clock.at)
    assert erasing().step(request.request_id) == {"state": "running", "waiting_for": ("slow",)}


def test_an_erasure_takes_earlier_exports_along(
    control: Control,
    sqlite_database: Database,
    keys: Keys,
    lake: Lake,
    home: Path,
    clock: Clock,
    erasing: Callable[..., Erasing],
) -> None:
    subject = person(sqlite_database, keys)
    lived(sqlite_database, lake, subject)
    export = control.subjects.register(RAW, "portability", warrant("olga", "ops"))
    approved(control, clock, export, "subject.export")
    Exporting(database=sqlite_database, lake=lake, home=home, keys=keys, control=control, now=clock).export(
        export.request_id
    )
    request = control.subjects.register(RAW, "erasure", warrant("olga", "ops"))
    approved(control, clock, request)
    erasing(between_us=0).step(request.request_id)
    done = erasing(between_us=0).step(request.request_id)
    assert done["receipt"]["erased"]["exports"] == 1
    assert not file_of(home, export.request_id).exists()


def test_what_is_left_somewhere_keeps_the_request_open_and_is_named(
    control: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock, erasing: Callable[..., Erasing]
) -> None:
    subject = person(sqlite_database, keys)
    request = control.subjects.register(RAW, "erasure", warrant("olga", "ops"))
    approved(control, clock, request)
    (home / "run").mkdir()
    stray = home / "run" / "somebody.txt"
    stray.write_text(f"note: {subject}")
    erasing(between_us=0).step(request.request_id)
    stuck = erasing(between_us=0).step(request.request_id)
    assert stuck["state"] == "running" and stuck["left"] == {"run/somebody.txt": 1}
    stray.unlink()
    assert erasing(between_us=0).step(request.request_id)["state"] == "done"
