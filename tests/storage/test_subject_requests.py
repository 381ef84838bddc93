"""Requests of people: kept with their deadline, and what is left of a person found and deleted."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlmodel import SQLModel

from storage import consent, erasure, profiles, sensitive, subject_requests
from storage.database import Database
from storage.errors import NotFound
from storage.keys import Keys
from storage.pseudonyms import Salts, lookup
from storage.records.clock import instant, iso
from storage.records.consent import Purpose
from storage.records.profiles import Profile
from storage.records.requests import LONGER, MONTHS, SubjectRequest, Traces, due
from storage.signed import verified
from storage.tables import TABLES

KEY = b"key"
REQUEST = SubjectRequest(
    request_id="r-1",
    kind="erasure",
    state="open",
    subject="hmac:1",
    actor="olga",
    reason="she wrote to us",
    received_at=10,
    due_at=20,
    updated_at=10,
)


@pytest.mark.parametrize(
    ("received", "months", "until"),
    [
        ("2026-11-21T09:00", MONTHS, "2026-12-21"),
        ("2026-01-31T23:59", MONTHS, "2026-02-28"),
        ("2028-01-31T00:00", MONTHS, "2028-02-29"),
        ("2026-12-31T12:00", MONTHS, "2027-01-31"),
        ("2026-11-30T12:00", MONTHS + LONGER, "2027-02-28"),
    ],
)
def test_a_deadline_is_the_end_of_the_day_so_many_calendar_months_later(received: str, months: int, until: str) -> None:
    at = instant(datetime.fromisoformat(received).replace(tzinfo=UTC))
    assert iso(due(at, months=months)) == f"{until}T23:59:59.999999Z"


def test_requests_are_kept_and_the_most_urgent_comes_first(database: Database) -> None:
    whole = replace(
        REQUEST,
        traces=Traces(subjects=("p",), lookups=("l",), touched=(("men", 900),)),
        progress={"rows": 3},
        receipt={"signature": "s"},
    )
    with database.write() as write:
        subject_requests.save(write, whole)
        subject_requests.save(write, replace(REQUEST, request_id="r-2", due_at=5))
        subject_requests.save(write, replace(REQUEST, request_id="r-3", state="done", done_at=9, due_at=1))
        subject_requests.save(write, replace(whole, extension="many letters", due_at=99))
    with database.read() as read:
        assert [one.request_id for one in subject_requests.listed(read)] == ["r-2", "r-1", "r-3"]
        assert subject_requests.find(read, "r-1") == replace(whole, extension="many letters", due_at=99)
        assert [one.request_id for one in subject_requests.listed(read, states=("done",))] == ["r-3"]
        with pytest.raises(NotFound):
            subject_requests.find(read, "r-9")


def test_a_restriction_remembers_what_was_granted(database: Database) -> None:
    with database.write() as write:
        subject_requests.restrict(write, "p", at=7, request_id="r", before=("tracking",))
    with database.write() as write:
        assert subject_requests.restricted(write) == {"p": 7}
        assert subject_requests.unrestrict(write, "p") == ("tracking",)
        assert subject_requests.unrestrict(write, "p") == ()
        assert subject_requests.restricted(write) == {}


def test_every_row_of_a_person_and_of_their_visitors_goes_and_nobody_elses(database: Database) -> None:
    salts = Salts(database, KEY)
    people = salts.resolve(["anna", "phone", "tablet", "bert"])
    with database.write() as write:
        profiles.merge(write, people["phone"], people["anna"], at=1)
        profiles.merge(write, people["tablet"], people["phone"], at=2)
        for raw in ("anna", "phone", "bert"):
            profiles.state(write, people[raw], Profile(attributes={"size": "M"}), at=3)
            consent.append(
                write,
                subject=people[raw],
                purpose=Purpose.TRACKING,
                state="granted",
                reason="r",
                source="s",
                actor="a",
                at=4,
            )
            said = {"subject": people[raw], "attribute": "gender", "value": "f", "source": "s", "at": 5}
            sensitive.put(write, [sensitive.SensitiveAttribute(**said)])
        subject_requests.restrict(write, people["anna"], at=7, request_id="r", before=())
    with database.write() as write:
        known = erasure.traces(write, people["anna"], lookup("anna", KEY))
        assert set(known.subjects) == {people["anna"], people["phone"], people["tablet"]}
        assert known.subjects[0] == people["anna"] and len(known.lookups) == 3
        assert erasure.forget(write, known) == {
            "consent_changes": 2,
            "person_changes": 4,
            "restricted_subjects": 1,
            "sensitive_attributes": 2,
            "subject_salts": 3,
        }
    erasure.settle(database, whole=True)
    with database.read() as read:
        assert len(consent.history(read, people["bert"])) == len(profiles.history(read, people["bert"])) == 1
        assert consent.epoch(read) == 3
    assert salts.find("anna") is None and salts.find("bert") == people["bert"]


def test_no_table_holds_a_pseudonym_that_erasure_does_not_know() -> None:
    suspicious = {"subject", "account", "pseudonym", "visitor"}
    found = {
        (row.__tablename__, column.name)
        for row in TABLES
        if issubclass(row, SQLModel)
        for column in row.__table__.columns  # type: ignore[attr-defined]  # set on every mapped class
        if column.name in suspicious
    }
    commitments = {("subject_requests", "subject")}
    assert found - commitments == {(table, column) for table, columns in erasure.HELD.items() for column in columns}


def test_orders_are_numbered_and_name_nobody_once_they_are_done(database: Database) -> None:
    with database.write() as write:
        assert erasure.order(write, "erase", subjects=("a", "b"), request_id="r-1", at=1) == 1
        assert erasure.order(write, "restate", subjects=("c",), request_id="r-2", at=2) == 2
    with database.write() as write:
        assert [(one.number, one.subjects) for one in erasure.orders(write, 0)] == [(1, ("a", "b")), (2, ("c",))]
        assert [one.number for one in erasure.orders(write, 1)] == [2]
        erasure.close_orders(write, "r-1")
    with database.read() as read:
        assert [one.number for one in erasure.orders(read, 0)] == [2]


def test_a_tombstone_is_signed_and_stays_as_it_was(database: Database, keys: Keys) -> None:
    with database.write() as write:
        assert erasure.bury(write, keys, ["d-1", "d-2", "d-1"], at=5) == 2
    with database.write() as write:
        erasure.bury(write, keys, ["d-1"], at=9)
    with database.read() as read:
        found = erasure.tombstone(read, "d-1", keys.public_pem)
        assert erasure.tombstone(read, "d-3", keys.public_pem) is None
    assert found is not None and found["erased_at"] == 5 and verified(found, keys.public_pem)
    assert not verified({**found, "erased_at": 6}, keys.public_pem)
