"""Consent from the command line: files go in parts and are gone when read; receipts need the public key alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.commands import consents as commands
from fairlead.consent_job import consents
from fairlead.jobs import JOBS
from fairlead.settings import Settings
from fairlead.wiring import control_of, open_store
from governance.consent_files import path_of
from governance.warrants import Warrant, system
from storage import consent, jobs, ledger
from storage.errors import NotFound
from storage.keys import Keys
from storage.records import clock
from storage.signed import sign
from tests.fairlead.peer import Peer, fairlead, peer

__all__ = ["fairlead", "peer"]

CSV = "subject,purpose,state\nu-1,email,yes\nu-2,email,maybe\n"
WARRANT = Warrant(by=system("olga"), reason="moved from the old shop")


def test_a_file_is_taken_in_the_name_of_who_sent_it_and_then_gone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", solo=True)
    store = open_store(settings)
    control = control_of(settings, store)
    control.bootstrap(settings.home)
    asked = control.consent_files.ask(settings.home, CSV, WARRANT, source="old-shop")
    name = str(asked.arguments["file"])
    assert path_of(settings.home, name).stat().st_mode & 0o077 == 0
    with store.database.write() as write:
        job = jobs.claim(write, now=clock.now(), job_id=asked.job_id)
    assert job is not None and JOBS[job.name] is consents
    told = consents(settings, store, job)
    assert (told["granted"], told["refused"]) == (1, 1)
    assert told["refusals"] == [{"row": 3, "field": "state", "reason": "use granted or denied"}]
    assert list((settings.home / "imports").iterdir()) == []
    with store.database.read() as read:
        (change,) = consent.after(read, 0, 10)
        entry = ledger.entries(read, action="consent.import")[0]
    assert (change.source, change.actor, change.reason) == ("old-shop", "olga", WARRANT.reason)
    assert (entry.actor, entry.after["granted"]) == ("olga", 1)
    with pytest.raises(NotFound):
        consents(settings, store, job)
    store.database.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a" * 31, "A" * 32])
def test_only_a_name_that_was_given_names_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        path_of(tmp_path, name)


def test_a_large_file_goes_in_parts_with_the_header_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PART", 30)
    parts = commands.parts("head\n" + "".join(f"row-{number}\n" for number in range(20)))
    assert len(parts) > 3 and all(part.startswith("head\n") and len(part) <= 40 for part in parts)
    assert [row for part in parts for row in part.splitlines()[1:]] == [f"row-{number}" for number in range(20)]


def test_an_import_is_told_in_sums(fairlead: Any, peer: Peer, tmp_path: Path) -> None:  # the fixtures
    (tmp_path / "crm.csv").write_text(CSV)
    report = {"rows": 2, "granted": 1, "denied": 0, "unchanged": 0, "outdated": 0, "refused": 1}
    refusals = [{"row": 3, "field": "state", "reason": "use granted or denied"}]
    result = report | {"refusals": refusals, "acknowledged": None}
    peer.answer = [{"job_id": "j", "state": "queued"}, {"job_id": "j", "state": "done", "result": result}]
    ran = fairlead("consent", "import", "crm.csv", "--yes", "--reason", "moved from the old shop", "--json")
    assert ran.code == 0 and json.loads(ran.out) == report | {"refusals": refusals, "acknowledged": None}
    assert peer.asked[0][2] == {"csv": CSV, "source": "import", "reason": "moved from the old shop"}


def test_a_receipt_is_checked_without_a_server(fairlead: Any, peer: Peer, tmp_path: Path) -> None:  # the fixtures
    keys = Keys.open(tmp_path / "somewhere")
    receipt = sign({"subject": "u-1", "state": "denied"}, keys)
    (tmp_path / "key.pem").write_bytes(keys.public_pem)
    for document, code in ((receipt, 0), ({"receipt": receipt}, 0), (receipt | {"state": "granted"}, 6)):
        (tmp_path / "receipt.json").write_text(json.dumps(document))
        ran = fairlead("consent", "verify", "receipt.json", "--key", "key.pem", "--json")
        assert ran.code == code and json.loads(ran.out)["ok"] == (code == 0)
    (tmp_path / "key.pem").write_text("no key")
    assert fairlead("consent", "verify", "receipt.json", "--key", "key.pem").code == 2
    assert peer.asked == []


def test_a_violation_is_unhealthy(fairlead: Any, peer: Peer) -> None:  # the fixtures
    peer.answer = {"since": 1, "results": {}, "withdrawals": [], "totals": {"probe": 0, "replay": 1}, "violations": []}
    assert fairlead("consent", "probe").code == 6
    peer.answer = {**peer.answer, "totals": {"probe": 0, "replay": 0}}
    assert fairlead("consent", "probe", "--json").code == 0
