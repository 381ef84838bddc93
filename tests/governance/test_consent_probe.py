"""Two more eyes on opt-outs: a subject that keeps asking after it opted out, and a look at every record."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.api.metrics import expose
from governance.checks import consent as consent_check
from governance.checks.check import Ground
from governance.consent_probe import STANDING, Probe
from governance.consent_watch import GRACE_US, LATE_US, broken_by, broken_opt_outs
from governance.control import Control
from governance.patrol import Beat
from storage import consent, consent_probes
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records import clock as wall
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.consent import ConsentChange, ConsentState, Purpose
from tests.collectors.journals import decision
from tests.scoring_core.edges.running import install, running

from .conftest import NOW, Clock
from .test_consent import report


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        yield client


def test_the_probe_is_left_alone_and_tells_how_soon(home: Path, client: httpx.Client) -> None:
    made = install(home)
    control = Control(made.database, Keys.open(home), environment="test", solo=True)
    with running(made):
        probe = Probe(
            database=made.database,
            consents=control.consents,
            token=made.token("decide", "simulate"),
            now=wall.now,
            client=client,
        )
        assert probe.look() == [] and probe.look() == []
    with made.database.read() as read:
        standing = consent_probes.probes(read, kind="standing")
        withdrawals = consent_probes.probes(read, kind="withdrawal")
        assert consent_probes.totals(read) == {"probe": 0, "replay": 0}
    assert [(one.result, one.reason) for one in standing] == [("left_alone", "no_consent")] * 2
    assert [(one.result, one.reason) for one in withdrawals] == [("left_alone", "no_consent")]
    assert withdrawals[0].enforced_us is not None and 0 < withdrawals[0].enforced_us < 5 * SECOND
    made.database.close()


@pytest.fixture
def liar() -> Iterator[str]:
    """A replica that personalizes everybody."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"served_by": "model", "reason": "ok", "decision_id": "d-1"}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_violation_is_kept_told_and_fails_the_check(
    control: Control, sqlite_database: Database, clock: Clock, client: httpx.Client, liar: str, keys: Keys, home: Path
) -> None:
    anchors = Anchors(home / "anchors.jsonl", keys.signing)
    report(sqlite_database, "gone", 9, clock.at)
    with sqlite_database.write() as write:
        write.execute(_address(), {"url": liar})
    probe = Probe(database=sqlite_database, consents=control.consents, token="t", now=clock, client=client)
    (found,) = probe.look()
    assert (found.detector, found.decision_id, found.replica) == ("probe", "d-1", "gone")
    clock.at += MINUTE
    report(sqlite_database, "gone", 9, clock.at)
    assert probe.look() == []
    with sqlite_database.read() as read:
        assert consent_probes.totals(read) == {"probe": 1, "replay": 0}
        assert consent_probes.counted(read, since=0)["personalized"] >= 1
        ground = Ground(read=read, now=clock.at, home=home, keys=keys, anchors=anchors)
        told = consent_check.look(ground)
    assert told.verdict == "fail" and told.figures["violations"] == 1
    exposed, _ = expose(Beat(database=sqlite_database, home=home, keys=keys, anchors=anchors), clock.at, "")
    assert b'fairlead_consent_violations_total{detector="probe"} 1.0' in exposed


def _address() -> Any:
    from sqlalchemy import text

    return text("UPDATE replica_receipts SET url = :url")


def test_a_replica_that_does_not_answer_is_no_proof_of_anything(
    control: Control, sqlite_database: Database, clock: Clock, client: httpx.Client
) -> None:
    report(sqlite_database, "away", 9, clock.at)
    with sqlite_database.write() as write:
        write.execute(_address(), {"url": "http://127.0.0.1:9"})
    probe = Probe(database=sqlite_database, consents=control.consents, token="t", now=clock, client=client)
    assert probe.look() == []
    with sqlite_database.read() as read:
        assert consent_probes.counted(read, since=0) == {"no_answer": 2}
    assert control.consents.own(STANDING)[Purpose.PERSONALIZATION].state == "denied"


def change(epoch: int, at: int, state: ConsentState) -> ConsentChange:
    return ConsentChange(
        epoch=epoch,
        at=at,
        subject="s",
        purpose=Purpose.PERSONALIZATION,
        state=state,
        reason="",
        source="",
        actor="",
    )


OUT, BACK = change(5, NOW, "denied"), change(7, NOW + MINUTE, "granted")


@pytest.mark.parametrize(
    ("said", "at", "epoch", "broken"),
    [
        ([], NOW, 9, False),
        ([OUT], NOW + SECOND, 5, True),  # the decision knew
        ([OUT], NOW + SECOND, 4, False),  # it did not know, and need not yet
        ([OUT], NOW + GRACE_US + 1, 4, True),  # by then it had to
        ([OUT, BACK], NOW + 2 * MINUTE, 7, False),
        ([OUT, BACK], NOW + 30 * SECOND, 5, True),
        ([OUT, BACK], NOW + MINUTE + SECOND, 4, False),  # taken back within what clocks may differ by
        ([BACK], NOW, 3, False),
    ],
)
def test_what_breaks_an_opt_out(said: list[ConsentChange], at: int, epoch: int, broken: bool) -> None:
    assert (broken_by(said, at=at, epoch=epoch) is not None) == broken


def test_records_are_looked_at_once_and_one_that_breaks_an_opt_out_is_found(
    database: Database, build: Callable[..., Control], home: Path, clock: Clock
) -> None:
    build(database)
    lake = Lake(home / "lake")
    fields: dict[str, Any] = {"purpose": Purpose.PERSONALIZATION, "reason": "r", "source": "t", "actor": "a"}
    with database.write() as write:
        for subject in ("no", "later"):
            consent.append(write, subject=subject, state="denied", at=NOW, **fields)
    at = NOW + 10 * MINUTE
    known = {"consent_epoch": 2, "consent": {"tracking": True, "personalization": True, "profiling": True}}
    made = [
        decision(at, 1, subject="no", **known),
        decision(at, 2, subject="yes", **known),
        decision(NOW - MINUTE, 3, subject="later", consent_epoch=0),
        decision(at, 4, subject=None, served_by="default", policy=None, reason="no_consent"),
    ]
    staged = lake.stage("decisions", replica="r0", log="l", from_seq=1, to_seq=4, origin="live", records=made)
    with database.write() as write:
        lake.register(write, staged, now=at)
    clock.at = at + LATE_US + SECOND
    (found,) = broken_opt_outs(database, lake, now=clock.at)
    assert (found.decision_id, found.detector, found.epoch) == (made[0].decision_id, "replay", 1)
    assert broken_opt_outs(database, lake, now=clock.at) == []
    clock.at += HOUR
    assert broken_opt_outs(database, lake, now=clock.at) == []
    with database.read() as read:
        assert consent_probes.totals(read)["replay"] == 1
        assert [one.decision_id for one in consent_probes.violations(read)] == [found.decision_id]
