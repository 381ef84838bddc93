"""Requests of people: registered by commitment, done or refused with a signed receipt, never over anybody's head."""

import json

import pytest

from governance.control import Control
from storage import consent, erasure, ledger, profiles
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NotFound
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.consent import Purpose
from storage.records.policies import Attribute
from storage.records.requests import Traces
from storage.signed import verified

from .conftest import NOW, Clock, installation, warrant
from .lived import RAW, lived, person


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
