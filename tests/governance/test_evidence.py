"""Exports that anyone checks with the public key, and looks at people that are entered before the answer."""

import io
import zipfile
from pathlib import Path

import httpx
import orjson
from sqlalchemy import text

from storage import findings, ledger
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys
from storage.records.changes import LedgerEntry
from storage.records.findings import Audit
from storage.verifier import judge

from .conftest import REASON
from .served import People


def files(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entries(database: Database, action: str) -> list[LedgerEntry]:
    with database.read() as read:
        return ledger.entries(read, action=action)


def anchored(database: Database, keys: Keys, home: Path) -> None:
    with database.read() as read:
        Anchors(home / "anchors" / "anchors.jsonl", keys.signing).anchor(read, 1)


def test_an_export_names_its_maker_and_checks_out(people: People, sqlite_database: Database, keys: Keys) -> None:
    anna = people("anna", "ops")
    pem = anna.get("/ledger/key").content
    assert pem == keys.public_pem
    held = files(anna.get("/ledger/export?action=token.mint"))
    found = judge(held, pem)
    assert found["ok"], found
    manifest = orjson.loads(held["manifest.json"])
    assert manifest["filters"] == {"action": "token.mint"} and manifest["made_by"] == "anna"
    assert (manifest["environment"], manifest["version"]) == ("test", "0.1.0")
    (export,) = entries(sqlite_database, "ledger.export")
    assert (export.actor, export.after, found["last"]) == ("anna", {"action": "token.mint"}, export.seq)
    assert manifest["chain_head"] == {"seq": export.seq, "hash": export.hash}


def test_one_entry_is_proved_once_an_anchor_confirms_it(
    people: People, sqlite_database: Database, keys: Keys, home: Path
) -> None:
    anna = people("anna", "ops")
    assert anna.get("/ledger/3/proof").status_code == 409
    anchored(sqlite_database, keys, home)
    held = files(anna.get("/ledger/3/proof"))
    assert judge(held, keys.public_pem)["ok"]
    assert [row["seq"] for row in map(orjson.loads, held["entries.jsonl"].splitlines()) if "body" in row] == [3]
    assert anna.get("/ledger/9999/proof").status_code == 404
    assert people("mia", "marketer").get("/ledger/3/proof").status_code == 403


def test_an_audit_leaves_with_its_files(people: People, sqlite_database: Database, keys: Keys, home: Path) -> None:
    (home / "audits" / "a").mkdir(parents=True)
    (home / "audits" / "a" / "report.html").write_bytes(b"<p>report</p>")
    (home / "secret.txt").write_bytes(b"not for you")
    audit = Audit(
        audit_id="a",
        kind="drift",
        job_id="j",
        at=1,
        verdict="pass",
        sentence="Nothing moved.",
        population={},
        result={"psi": 0.01},
        artifacts={"report.html": "audits/a/report.html", "more": "secret.txt"},
    )
    with sqlite_database.write() as write:
        findings.save(write, audit)
    held = files(people("dora", "data_scientist").get("/audits/a/evidence"))
    assert judge(held, keys.public_pem)["ok"]
    assert held["artifacts/report.html"] == b"<p>report</p>"
    assert b"not for you" not in b"".join(held.values())
    assert orjson.loads(held["audit.json"])["result"] == {"psi": 0.01}
    assert [entry.object_key for entry in entries(sqlite_database, "audits.export")] == ["a"]


def test_looks_at_people_are_entered_once_in_five_minutes(people: People, sqlite_database: Database) -> None:
    dora = people("dora", "data_scientist")
    for _ in range(3):
        dora.get("/decisions?item=i-1")
    dora.get("/decisions/0190-abc")
    dora.get("/decisions/0190-abc/replay")
    dora.get("/audits/none")
    dora.post("/consents/history", json={"subject": "anna@example.org", "reason": REASON})
    seen = entries(sqlite_database, "decisions.view")
    assert [(entry.actor, entry.object_key) for entry in seen] == [
        ("dora", "0190-abc"),
        ("dora", "0190-abc"),
        ("dora", ""),
    ]
    assert seen[-1].after == {"item": "i-1"}
    assert len(entries(sqlite_database, "audits.view")) == 1
    bert = people("bert", "ops")
    bert.get("/decisions?item=i-1")
    assert len(entries(sqlite_database, "decisions.view")) == 4


def test_who_cannot_be_entered_sees_nothing(people: People, sqlite_database: Database) -> None:
    anna = people("anna", "ops")
    with sqlite_database.write() as write:
        write.execute(text("CREATE TRIGGER closed BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'read only'); END"))
    for path in ("/ledger", "/decisions", "/decisions/1", "/ledger/export"):
        answer = anna.get(path)
        assert answer.status_code in {409, 503} and not answer.json().keys() & {"entries", "decisions", "decision"}
    assert anna.get("/campaigns").status_code == 200
