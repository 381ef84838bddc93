"""An export holds everything about a person, signed, and no formula."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governance.control import Control
from governance.portability import Exporting, file_of
from scoring_core.edges.rest.bodies import EventBody
from storage.database import Database
from storage.errors import Conflict
from storage.keys import Keys
from storage.lake import Lake
from storage.records.consent import Purpose
from storage.signed import verified

from .conftest import Clock, warrant
from .lived import RAW, approved, lived, person


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
