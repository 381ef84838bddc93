"""Requests of people: registered by commitment, done or refused with a signed receipt, never over anybody's head."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governance.control import Control
from governance.erasing import Erasing
from governance.portability import Exporting, file_of
from governance.subjects import NOTHING_KEPT
from scoring_core.edges.rest.bodies import EventBody
from storage import consent, erasure, ledger, profiles, subject_requests
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, NotFound
from storage.keys import Keys
from storage.lake import Lake
from storage.pseudonyms import Salts
from storage.records.clock import DAY, MINUTE
from storage.records.consent import Purpose
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.policies import Attribute
from storage.records.requests import SubjectRequest, Traces
from storage.signed import verified

from .conftest import NOW, Clock, installation, warrant

RAW = "anna@example.org"


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(home / "lake")


def person(database: Database, keys: Keys, raw: str = RAW) -> str:
    return Salts(database, keys.lookup).resolve([raw])[raw]


def lived(database: Database, lake: Lake, subject: str) -> None:
    """Two events and a decision of one person, and an event of somebody else."""

    def event(number: int, who: str) -> Event:
        at = NOW - 10 * MINUTE + number
        return Event(
            event_id=f"e-{number}",
            type="click",
            at=at,
            received_at=at,
            subject=who,
            session="s",
            item="=1+1",
            surface="home",
            decision_id="d-1",
            properties={"size": "M"},
        )

    decision = Decision(
        decision_id="d-1",
        at=NOW - 11 * MINUTE,
        replica="engine-0",
        subject=subject,
        session="s",
        sequence=1,
        surface="home",
        campaign="men",
        slots=1,
        revision=1,
        consent_epoch=0,
        policy="home",
        version=1,
        bucket=0.5,
        served_by="model",
        reason="ok",
        items=("=1+1",),
        reasons=(("popular",),),
        propensity=(1.0,),
    )
    for kind, records in (
        ("decisions", [decision]),
        ("events", [event(1, subject), event(2, subject), event(3, "b" * 32)]),
    ):
        staged = lake.stage(
            kind,  # type: ignore[arg-type]  # both are kinds
            replica="engine-0",
            log="l",
            from_seq=1,
            to_seq=len(records),
            origin="live",
            records=records,
        )
        with database.write() as write:
            lake.register(write, staged, now=NOW)


def approved(control: Control, clock: Clock, request: SubjectRequest, kind: str = "subject.erase") -> None:
    """Let two other people agree and a quarter of an hour pass, then carry the request out."""
    change = control.propose(kind, request.request_id, {}, warrant("olga", "ops"))
    control.submit(change.change_id, warrant("olga", "ops"))
    with pytest.raises(Forbidden):
        control.approve(change.change_id, warrant("pia", "data_scientist"))
    for name in ("anna", "bert"):
        with pytest.raises(NeedsApproval):
            control.apply(change.change_id, warrant("carl", confirm=request.request_id))
        control.approve(change.change_id, warrant(name))
    with pytest.raises(Conflict, match="minutes"):
        control.apply(change.change_id, warrant("carl", confirm=request.request_id))
    clock.at += 16 * MINUTE
    with pytest.raises(Forbidden):
        control.apply(change.change_id, warrant("olga", "ops", confirm=request.request_id))
    with pytest.raises(Invalid, match="confirm"):
        control.apply(change.change_id, warrant("carl"))
    control.apply(change.change_id, warrant("carl", confirm=request.request_id))


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


def test_requests_have_deadlines_and_are_refused_with_a_reason(
    control: Control, sqlite_database: Database, keys: Keys, clock: Clock
) -> None:
    person(sqlite_database, keys)
    ops = warrant("olga", "ops")
    request = control.subjects.register(RAW, "erasure", ops, received_at=NOW - 3 * DAY)
    assert request.due_at < NOW + 29 * DAY
    with pytest.raises(Conflict, match=request.request_id):
        control.subjects.register(RAW, "erasure", ops)
    with pytest.raises(Invalid):
        control.subjects.register("other", "erasure", ops, received_at=NOW + DAY)
    with pytest.raises(Forbidden):
        control.subjects.register(RAW, "access", warrant("pia", "marketer"))
    longer = control.subjects.extend(request.request_id, ops)
    assert longer.due_at > request.due_at + 50 * DAY and longer.extension == ops.reason
    with pytest.raises(Conflict):
        control.subjects.extend(request.request_id, ops)
    refused = control.subjects.refuse(request.request_id, ops)
    assert refused.state == "refused" and refused.traces == Traces()
    assert refused.receipt is not None and verified(refused.receipt, keys.public_pem)
    with pytest.raises(Conflict):
        control.subjects.refuse(request.request_id, ops)
    with pytest.raises(NotFound):
        control.subjects.refuse("nowhere", ops)
    with sqlite_database.read() as read:
        actions = [entry.action for entry in ledger.entries(read, limit=20) if entry.object_kind == "subject"]
    assert actions[:3] == ["subject.request.refuse"] * 2 + ["subject.request.extend"]


def test_an_objection_ends_marketing_at_once(control: Control, sqlite_database: Database, keys: Keys) -> None:
    subject = person(sqlite_database, keys)
    done = control.rights.object_to(RAW, (), warrant("olga", "ops"))
    assert done.request.state == "done" and done.acknowledged.complete
    assert done.request.receipt is not None and verified(done.request.receipt, keys.public_pem)
    with sqlite_database.read() as read:
        said = {change.purpose: (change.state, change.source) for change in consent.history(read, subject)}
    assert said == dict.fromkeys((Purpose.DIRECT_MARKETING, Purpose.EMAIL), ("denied", "objection"))
    with pytest.raises(NotFound):
        control.rights.object_to("nobody", (), warrant("olga", "ops"))


def test_a_restriction_denies_everything_and_gives_back_what_was_granted(
    control: Control, sqlite_database: Database, keys: Keys, lake: Lake
) -> None:
    subject, ops = person(sqlite_database, keys), warrant("olga", "ops")
    control.opt_in(RAW, Purpose.TRACKING, ops)
    lived(sqlite_database, lake, subject)
    control.rights.restrict(RAW, ops)
    with pytest.raises(Conflict):
        control.rights.restrict(RAW, ops)
    with sqlite_database.read() as read:
        assert {c.purpose: c.state for c in consent.history(read, subject)} == dict.fromkeys(Purpose, "denied")
        assert lake.acts(read, subject, limit=9) == []
    assert control.subjects.summary(RAW, ops)["restricted_since"] == NOW
    lifted = control.rights.lift(RAW, ops)
    assert lifted.request.progress["granted_again"] == ["tracking"]
    with sqlite_database.read() as read:
        said = {c.purpose: c.state for c in consent.history(read, subject)}
        assert len(lake.acts(read, subject, limit=9)) == 2
    assert said.pop(Purpose.TRACKING) == "granted" and set(said.values()) == {"denied"}
    with pytest.raises(Conflict):
        control.rights.lift(RAW, ops)


def test_what_is_stated_is_corrected_and_named_nowhere_else(
    control: Control, sqlite_database: Database, keys: Keys
) -> None:
    from storage import documents

    with sqlite_database.write() as write:
        documents.save(write, "installation", installation(attributes={"size": Attribute(type="string")}))
    subject, ops = person(sqlite_database, keys), warrant("olga", "ops")
    done = control.rights.rectify(RAW, {"size": "XXL"}, {"colour=red": -0.5}, ops)
    assert done.acknowledged.complete and done.request.progress["corrected"] == ["colour=red", "size"]
    with sqlite_database.read() as read:
        stated = profiles.stated(read, subject)
        assert stated is not None and stated.profile.attributes == {"size": "XXL"}
        assert erasure.orders(read, 0) == []
        assert "XXL" not in json.dumps(ledger.entries(read, limit=1)[0].after)
    with pytest.raises(Invalid):
        control.rights.rectify(RAW, {}, {}, ops)
    with pytest.raises(Invalid):
        control.rights.rectify(RAW, {"height": 3}, {}, ops)


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_an_export_holds_everything_signed_and_no_formula(
    control: Control, sqlite_database: Database, keys: Keys, lake: Lake, home: Path, clock: Clock, kind: Any
) -> None:
    subject = person(sqlite_database, keys)
    lived(sqlite_database, lake, subject)
    control.opt_in(RAW, Purpose.TRACKING, warrant("olga", "ops"))
    request = control.subjects.register(RAW, kind, warrant("olga", "ops"))
    with pytest.raises(Conflict):
        control.propose("subject.erase", request.request_id, {}, warrant("olga", "ops"))
    approved(control, clock, request, "subject.export")
    exporting = Exporting(database=sqlite_database, lake=lake, home=home, keys=keys, control=control, now=clock)
    done = exporting.export(request.request_id)
    assert done["state"] == "done" and exporting.export(request.request_id) == {"state": "done"}
    with zipfile.ZipFile(io.BytesIO(file_of(home, request.request_id).read_bytes())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    whole, signed = json.loads(files["export.json"]), json.loads(files["signed.json"])
    assert verified(signed, keys.public_pem) and set(signed["sha256"]) == set(files) - {"signed.json"}
    assert [event["event_id"] for event in whole["events"]] == ["e-1", "e-2"]
    assert whole["events"][0]["properties"] == {"size": "M"} and whole["consent"][0]["state"] == "granted"
    again = [msgspec.convert({**event, "subject": "elsewhere"}, EventBody) for event in whole["events"]]
    assert [(event.type, event.item, event.value) for event in again] == [("click", "=1+1", None)] * 2
    assert ("decisions" in whole) == ("about" in whole) == (kind == "access")
    assert b"'=1+1" in files["events.csv"] and b'"=1+1' not in files["events.csv"]
    assert subject.encode() not in b"".join(files.values()) and (b"b" * 32) not in b"".join(files.values())
    assert file_of(home, request.request_id).stat().st_mode & 0o077 == 0


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
