"""Where consent comes from: people with their receipts, files, platforms; each taken once, in order, in the ledger."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.consent import Statement
from governance.consent_import import import_consents, lines_of, read_rows
from governance.control import Control
from governance.platforms import read_message
from storage import consent, ledger, platforms
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval
from storage.keys import Keys
from storage.pseudonyms import Salts
from storage.records.clock import DAY, SECOND
from storage.records.consent import Purpose
from storage.records.document import parse
from storage.records.platforms import ConsentPlatform
from storage.records.syncs import Refusal
from storage.signed import verified

from .conftest import NOW, REASON, Clock, warrant

OPS = ("olga", "ops")
HEADER = "subject,purpose,state,said_at,text_version\n"
TEXT = {"purpose": "email", "version": "2026-11", "body": "May we write to you?", "language": "en"}


def said(database: Database, keys: Keys, raw: str) -> list[tuple[str, str, str]]:
    subject = Salts(database, keys.lookup).find(raw) or ""
    with database.read() as read:
        return [(each.purpose.value, each.state, each.source) for each in consent.history(read, subject)]


def publish(control: Control) -> None:
    control.do("consent_text.publish", "email/2026-11", TEXT, warrant(*OPS))


def test_a_receipt_is_the_persons_proof_and_always_the_same(
    database: Database, build: Callable[..., Control], keys: Keys
) -> None:
    control = build(database)
    publish(control)
    told = control.consents.record(
        "u-1", Purpose.EMAIL, "granted", warrant(*OPS), source="shop", text_version="2026-11"
    )
    receipt = dict(told.receipt)
    assert verified(receipt, keys.public_pem)
    assert receipt["subject"] == "u-1" and receipt["text_sha256"] and receipt["state"] == "granted"
    with database.read() as read:
        entry = ledger.entries(read, action="consent.opt_in")[0]
    assert entry.object_key == receipt["commitment"] and entry.after["epoch"] == receipt["consent_epoch"]
    assert control.consents.receipts("u-1", warrant(*OPS)) == [receipt]
    for name in sorted(receipt.keys() - {"signature"}):
        assert not verified(receipt | {name: "other"}, keys.public_pem), name


def test_a_wording_never_changes_and_only_a_yes_needs_one(control: Control) -> None:
    publish(control)
    with pytest.raises(Conflict):
        publish(control)
    with pytest.raises(Forbidden):
        control.do("consent_text.publish", "email/2027", TEXT | {"version": "2027"}, warrant("mary", "marketer"))
    with pytest.raises(Invalid, match="text_version"):
        control.consents.record("u-1", Purpose.EMAIL, "granted", warrant(*OPS), source="shop", text_version="none")
    control.consents.record("u-1", Purpose.EMAIL, "denied", warrant(*OPS), source="shop", text_version="none")


def test_what_holds_is_told_by_person_or_region(control: Control, solo: Control) -> None:
    del solo
    control.opt_in("u-1", Purpose.EMAIL, warrant(*OPS), source="shop")
    found = {one.purpose: (one.state, one.by) for one in control.consents.state("u-1", "", warrant(*OPS))}
    assert found[Purpose.EMAIL] == ("granted", "person")
    assert found[Purpose.PERSONALIZATION] == ("granted", "default") and found[Purpose.TRACKING] == ("denied", "default")
    elsewhere = {one.purpose: one.state for one in control.consents.state("nobody", "mars", warrant(*OPS))}
    assert set(elsewhere.values()) == {"denied"}
    asked = ("u-1", "u-2", "u-1")
    assert control.consents.allowed(asked, Purpose.EMAIL, "", warrant(*OPS)) == ["u-1"]
    assert control.consents.allowed(asked, Purpose.PERSONALIZATION, "", warrant(*OPS)) == ["u-1", "u-2"]
    assert control.consents.allowed(asked, Purpose.PERSONALIZATION, "mars", warrant(*OPS)) == []


def test_a_file_is_taken_row_by_row_and_again_without_effect(
    database: Database, build: Callable[..., Control], keys: Keys, clock: Clock
) -> None:
    control = build(database)
    control.opt_out("late", Purpose.EMAIL, warrant(*OPS))
    rows = [
        "u-1,email,yes,2025-01-01T00:00:00Z,v1",
        "u-1,email,no,2025-02-01T00:00:00Z,",
        "late,email,granted,2025-01-01T00:00:00Z,",
        "u-2,tracking,granted,,",
        '"quoted, one",profiling,denied,1735689600,',
        "u-3,dreams,granted,,",
        ",email,granted,,",
        "u-3,email,perhaps,,",
        "u-3,email,granted,tomorrow,",
        "u-3,email,granted,2099-01-01T00:00:00Z,",
        "u-3,email,granted,,,,more",
    ]
    random.Random(7).shuffle(rows)

    def take() -> Any:
        lines = lines_of(HEADER + "\n".join(rows))
        return import_consents(lines, control.consents, warrant(*OPS), source="crm", now=clock)

    first = take()
    assert (first.rows, first.granted, first.denied, first.outdated, first.refused) == (11, 2, 2, 1, 6)
    assert {one.field for one in first.refusals} == {"purpose", "subject", "state", "said_at", "row"}
    assert first.acknowledged is not None and first.acknowledged.complete
    assert said(database, keys, "u-1") == [("email", "granted", "crm"), ("email", "denied", "crm")]
    assert said(database, keys, "late") == [("email", "denied", "control")]
    assert said(database, keys, "quoted, one") == [("profiling", "denied", "crm")]
    with database.read() as read:
        epoch, entries = consent.epoch(read), ledger.entries(read, action="consent.import")
    assert len(entries) == 1 and entries[0].after["epochs"] == [2, epoch] and "u-1" not in str(entries[0])
    clock.at += DAY
    again = take()
    assert (again.granted, again.denied) == (0, 0) and again.unchanged + again.outdated == 5
    with database.read() as read:
        assert consent.epoch(read) == epoch


def test_a_no_without_a_time_holds_now(control: Control, sqlite_database: Database, keys: Keys, clock: Clock) -> None:
    control.opt_in("u-1", Purpose.EMAIL, warrant(*OPS))
    lines = lines_of(HEADER + "u-1,email,denied,,\n")
    import_consents(lines, control.consents, warrant(*OPS), source="crm", now=clock)
    assert said(sqlite_database, keys, "u-1")[-1] == ("email", "denied", "crm")


@pytest.mark.parametrize("header", ["", "subject,purpose\n", "subject,purpose,state,secret\n"])
def test_a_file_without_its_columns_is_refused_whole(control: Control, header: str, clock: Clock) -> None:
    with pytest.raises(Invalid):
        import_consents(lines_of(header + "u,email,yes\n"), control.consents, warrant(*OPS), source="x", now=clock)


@given(st.lists(st.text(max_size=40), max_size=10))
def test_whatever_a_file_holds_its_rows_are_read_or_refused(rows: list[str]) -> None:
    for found in read_rows(lines_of(HEADER + "\n".join(rows)), now=NOW):
        assert isinstance(found, Refusal) or (found.subject and (found.said_at or 0) <= NOW)


def test_a_bulk_needs_the_permission_and_a_reason(control: Control, sqlite_database: Database, keys: Keys) -> None:
    statement = Statement(subject="u-1", purpose=Purpose.EMAIL, state="granted")
    with pytest.raises(Forbidden):
        control.consents.take([statement], warrant("mary", "marketer"), source="x")
    with pytest.raises(Invalid):
        control.consents.take([statement], warrant(*OPS, reason=""), source="x")
    assert said(sqlite_database, keys, "u-1") == []


ONE_TRUST = {
    "subject": "identifier",
    "items": "purposes",
    "purpose": "Id",
    "state": "TransactionType",
    "at": "ConsentDate",
    "text_version": "Version",
    "purposes": {"ads-1": ["direct_marketing", "profiling"], "stats": ["tracking"]},
    "states": {"CONFIRMED": "granted", "WITHDRAWN": "denied"},
}
MESSAGE = {
    "identifier": "u-1",
    "purposes": [
        {"Id": "ads-1", "TransactionType": "WITHDRAWN", "ConsentDate": "2025-06-01T10:00:00Z", "Version": 3},
        {"Id": "stats", "TransactionType": "CONFIRMED", "ConsentDate": "2025-06-01T10:00:00+02:00"},
        {"Id": "cookies", "TransactionType": "SOMETHING ELSE"},
    ],
}


def platform(**more: Any) -> ConsentPlatform:
    return parse(ConsentPlatform, {**ONE_TRUST, **more})


def test_a_platforms_purposes_become_ours() -> None:
    found = read_message(platform(), MESSAGE, now=NOW)
    told = [(one.purpose.value, one.state, one.text_version) for one in found.statements]
    assert told == [
        ("direct_marketing", "denied", "3"),
        ("profiling", "denied", "3"),
        ("tracking", "granted", ""),
    ]
    assert found.unmapped == 1
    assert found.statements[0].said_at == found.statements[2].said_at + 2 * 3600 * SECOND


def test_switches_by_name_are_understood_too() -> None:
    cookies = {
        "subject": "user.id",
        "items": "consents",
        "purposes": {"marketing": ["email"], "statistics": ["tracking"]},
    }
    message = {"user": {"id": 7}, "consents": {"marketing": False, "statistics": True, "necessary": True}}
    found = read_message(parse(ConsentPlatform, cookies), message, now=NOW)
    assert [(one.subject, one.purpose.value, one.state) for one in found.statements] == [
        ("7", "email", "denied"),
        ("7", "tracking", "granted"),
    ]
    assert found.unmapped == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("identifier", None),
        ("identifier", "x" * 300),
        ("purposes", "none"),
        ("purposes", [7]),
        ("purposes", [{"Id": "stats", "TransactionType": "PERHAPS", "ConsentDate": 0}]),
        ("purposes", [{"Id": "stats", "TransactionType": "CONFIRMED", "ConsentDate": "then"}]),
        ("purposes", [{"TransactionType": "CONFIRMED"}]),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_whole_and_not_echoed(path: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        read_message(platform(), {**MESSAGE, path: value}, now=NOW)
    assert refused.value.problems and "PERHAPS" not in str(refused.value) and "xxx" not in str(refused.value)


def test_a_platform_needs_a_second_person_and_takes_a_message_once(
    control: Control, solo: Control, sqlite_database: Database, keys: Keys
) -> None:
    with pytest.raises(NeedsApproval):
        control.do("consent_platform.declare", "cmp", {"platform": ONE_TRUST}, warrant("alice", confirm="cmp"))
    solo.do("consent_platform.declare", "cmp", {"platform": ONE_TRUST}, warrant("alice", confirm="cmp"))
    with sqlite_database.read() as read:
        declared = platforms.declared(read)["cmp"]
    for turn in range(2):
        told = read_message(declared, MESSAGE, now=NOW)
        taken = solo.consents.take(told.statements, warrant(*OPS, reason=REASON), source="platform:cmp")
        assert taken.granted + taken.denied == (0 if turn else 3)
    assert len(said(sqlite_database, keys, "u-1")) == 3
    solo.do("consent_platform.remove", "cmp", {}, warrant("alice"))
    assert len(said(sqlite_database, keys, "u-1")) == 3


def test_withdrawing_takes_no_more_fields_than_giving(context: ControlContext) -> None:
    paths = create_app(context).openapi()["paths"]
    bodies = {verb: paths[f"/control/v1/consents/{verb}"]["post"]["requestBody"] for verb in ("opt-in", "opt-out")}
    assert bodies["opt-in"] == bodies["opt-out"]
