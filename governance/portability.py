"""Everything that is kept of one person as files of their own: JSON whole, CSV by section, with a signed list."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from governance.control import Control
from governance.insights import insights
from governance.installation import installation
from governance.warrants import Warrant, system
from storage import consent, profiles, sensitive, subject_requests
from storage.database import Database, Read
from storage.files import write_whole
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, iso
from storage.records.policies import Installation
from storage.records.requests import SubjectRequest, Traces
from storage.signed import sign
from storage.spreadsheets import csv

FORMAT = "fairlead.subject-export.1"
_WARRANT = Warrant(by=system("export"), reason="carried out as two people approved")
_EVENTS = """
SELECT event_id, type, "at", item, surface, campaign, decision_id, value, properties FROM events
WHERE subject IN (SELECT subject FROM persons) AND stored = 'full' ORDER BY "at", event_id
"""
_DECISIONS = """
SELECT decision_id, "at", surface, campaign, served_by, reason, items, reasons, policy, version, model, model_version,
       arms, context, query, confidence, propensity, user_attributes, revision, origin
FROM decisions WHERE subject IN (SELECT subject FROM persons) ORDER BY "at", decision_id
"""
_JSON = frozenset({"properties", "arms", "context", "user_attributes"})

Section = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """What an export works with."""

    database: Database
    lake: Lake
    home: Path
    keys: Keys
    control: Control
    now: Callable[[], int]

    def export(self, request_id: str) -> Mapping[str, Any]:
        """Write a request's file and answer the request; doing it again changes nothing.

        Raises
        ------
        NotFound, Unavailable, Full
            If there is no such request, or a store does not answer.
        """
        with self.database.read() as read:
            request = subject_requests.find(read, request_id)
        if request.state != "running" or request.kind not in {"access", "portability"}:
            return {"state": request.state}
        sections = self.gather(request)
        files = packed(sections, self.keys, request, at=self.now())
        whole = zipped(files)
        path = file_of(self.home, request_id)
        write_whole(path, whole, replace=True)
        told = {
            "outcome": "exported",
            "format": FORMAT,
            "rows": {name: len(rows) for name, rows in sections.items() if isinstance(rows, list)},
            "bytes": len(whole),
            "sha256": sha256(whole).hexdigest(),
            "deleted_after": iso(self.now() + self._settings().retention.exports_days * DAY),
        }
        done = self.control.subjects.finish(request, told, _WARRANT)
        return {"state": done.state, **told}

    def gather(self, request: SubjectRequest, *, inferred: bool = True) -> dict[str, Any]:
        """Return the sections: what the person gave and did; with ``access`` also what was decided and, unless a
        person waits for it, what models infer."""
        known = request.traces
        with self.database.read() as read:
            sections: dict[str, Any] = {
                "consent": _consent(read, known),
                "statements": _statements(read, known),
                "sensitive": _sensitive(read, known),
                "events": self._lake_rows(read, _EVENTS, known),
            }
            if request.kind == "access":
                sections["decisions"] = self._lake_rows(read, _DECISIONS, known)
                sections["requests"] = [
                    {"kind": one.kind, "state": one.state, "received": iso(one.received_at), "due": iso(one.due_at)}
                    for one in subject_requests.listed(read, subject=request.subject)
                ]
                sections["about"] = about(self._settings())
        if request.kind == "access" and inferred:
            told = insights(self.database, self.lake, self.home, subject=known.subjects[0], now=self.now())
            sections["inferred"] = told or "nothing: no event is kept, or there is no agreement to profiling"
        return sections

    def _settings(self) -> Installation:
        with self.database.read() as read:
            return installation(read)

    def _lake_rows(self, read: Read, sql: str, known: Traces) -> list[dict[str, Any]]:
        import pyarrow as pa

        with self.lake.connect(read, restricted=True) as connection:
            connection.register("persons", pa.table({"subject": pa.array(known.subjects, pa.string())}))
            asked = connection.execute(sql)
            names = [column[0] for column in asked.description]
            return [_spelled(dict(zip(names, row, strict=True))) for row in asked.fetchall()]


def file_of(home: Path, request_id: str) -> Path:
    """Return where a request's file lies."""
    return home / "exports" / request_id / "export.zip"


def packed(sections: Mapping[str, Any], keys: Keys, request: SubjectRequest, *, at: int) -> dict[str, bytes]:
    """Return the files: all sections as one JSON document, each list as CSV, and what they hash to, signed. Events are
    as ``POST /v1/events`` takes them, but for the subject."""
    document = {"format": FORMAT, "kind": request.kind, "request_id": request.request_id, "as_of": iso(at)}
    told = {name: [_said(row) for row in rows] if name == "events" else rows for name, rows in sections.items()}
    files = {"export.json": orjson.dumps({**document, **told}, option=orjson.OPT_INDENT_2)}
    for name, rows in sections.items():
        if isinstance(rows, list):
            files[f"{name}.csv"] = csv([{key: _cell(value) for key, value in row.items()} for row in rows])
    hashes = {name: sha256(content).hexdigest() for name, content in files.items()}
    signed = sign({"document": "subject.export", **document, "sha256": hashes}, keys)
    return {**files, "signed.json": orjson.dumps(signed, option=orjson.OPT_INDENT_2)}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as one ZIP archive."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def about(settings: Installation) -> Mapping[str, Any]:
    """Return what a person who asks for access is told beside the data (GDPR 15(1))."""
    keep = settings.retention
    return {
        "purposes": ["tracking", "personalization", "profiling", "direct marketing", "e-mail"],
        "categories": ["what was done (events)", "what was decided", "what was stated", "what was agreed to"],
        "source": "the application that you use; interests and segments are inferred from what was done",
        "kept": f"events and decisions {keep.rows_days} days, sums of many people {keep.cells_days} days",
        "logic": "items are ranked by how likely they are to be useful to you, from what you did and stated; each "
        "decision's reasons stand beside it, and `reasons` names what spoke for an item",
        "rights": "rectification, erasure, restriction, objection, portability, a complaint to a supervisory authority",
        "pseudonym": "you are kept under a keyed pseudonym; the application alone knows the id behind it",
    }


def _consent(read: Read, known: Traces) -> list[dict[str, Any]]:
    changes = [change for subject in known.subjects for change in consent.history(read, subject)]
    return [
        {
            "at": iso(change.at),
            "purpose": change.purpose.value,
            "state": change.state,
            "source": change.source,
            "reason": change.reason,
            "text_version": change.text_version,
        }
        for change in sorted(changes, key=lambda change: change.epoch)
    ]


def _sensitive(read: Read, known: Traces) -> list[dict[str, Any]]:
    return [
        {"at": iso(told.at), "attribute": told.attribute, "value": told.value, "source": told.source}
        for subject in known.subjects
        for told in sensitive.of_subject(read, subject)
    ]


def _statements(read: Read, known: Traces) -> list[dict[str, Any]]:
    found = [
        {
            "at": iso(change.at),
            "kind": "stated" if change.kind == "stated" else "recognized as the same person",
            "attributes": dict(change.profile.attributes),
            "interests": {name: said.value for name, said in change.profile.interests.items()},
        }
        for subject in known.subjects
        for change in profiles.history(read, subject)
        if change.subject == subject
    ]
    return sorted(found, key=lambda one: str(one["at"]))


def _spelled(row: dict[str, Any]) -> dict[str, Any]:
    spelled = {name: orjson.loads(value) if name in _JSON and value else value for name, value in row.items()}
    return {**spelled, "at": iso(row["at"])}


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | tuple | Mapping) else value
