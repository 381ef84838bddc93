"""A person who was seen, and a request of theirs that two other people agree to."""

import pytest

from governance.control import Control
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval
from storage.keys import Keys
from storage.lake import Lake
from storage.pseudonyms import Salts
from storage.records.clock import MINUTE
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.requests import SubjectRequest

from .conftest import NOW, Clock, warrant

RAW = "anna@example.org"


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
