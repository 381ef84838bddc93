"""A week of everything that the pages read, written to a database."""

from storage import benchmarks, campaigns, findings, heartbeats, receipts, revisions, series, verdicts
from storage.database import Database
from storage.records.benchmarks import Benchmark
from storage.records.campaigns import Campaign
from storage.records.changes import Receipt
from storage.records.clock import HOUR, SECOND
from storage.records.findings import Audit
from storage.records.policies import Attribute, Installation, PolicyState, Snapshot, Surface
from storage.records.verdicts import CheckVerdict
from tests.dashboard import alarmed, registered, rehearsed
from tests.dashboard.judged import DRIFT, EXPERIMENTS, FAIRNESS, INSIGHTS, RULES
from tests.dashboard.week import NOW, PAYLOAD, put, week_of_cells, window


def fill(database: Database) -> None:
    """Write a week."""
    put(database, week_of_cells())
    with database.write() as write:
        for key in ("men", PAYLOAD):
            campaigns.save(
                write, Campaign(key=key, name=f"{key} fashion", surfaces=("home",), status="running"), at=NOW
            )
        surface = Surface(key="home", context={"age": Attribute(type="string", sensitive=True)})
        installation = Installation(region="demo", surfaces={"home": surface})
        revisions.publish(
            write,
            Snapshot(
                revision=0,
                at=NOW,
                installation=installation,
                policies={"home": PolicyState(key="home", surface="home", stable=1)},
            ),
        )
        receipts.report(
            write,
            Receipt(
                replica="engine-0",
                boot_id="boot",
                url="http://127.0.0.1:8010",
                revision=1,
                consent_epoch=0,
                at=NOW - SECOND,
                started_at=NOW - HOUR // 2,
                details={
                    "plugins": {
                        "enricher.sky": {"version": "1", "state": "closed", "trouble": "", "ok": 7, "error": 1},
                        "scorer.dear": {"version": "", "state": "broken", "trouble": PAYLOAD},
                    }
                },
            ),
        )
        for seq in range(0, 360):
            if not 100 <= seq < 160:
                series.store(write, "t0", window(seq, errors=1 if seq % 50 == 0 else 0))
        benchmarks.replace_all(
            write,
            [Benchmark(metric="click_rate", industry=PAYLOAD, value=0.9, source=PAYLOAD, date="2026-01-31")],
            author=PAYLOAD,
            at=NOW,
        )
        heartbeats.beat(write, "poll", every_s=10, at=NOW - SECOND)
        heartbeats.beat(write, "roll-up", every_s=60, at=NOW - HOUR, error=PAYLOAD)
        registered.versions(write, now=NOW, payload=PAYLOAD)
        alarmed.week(write, now=NOW, payload=PAYLOAD)
        rehearsed.tried(write, now=NOW, payload=PAYLOAD)
        for check, word, age in (("consent", "pass", 600), ("consent", "fail", 20), ("latency", "warn", 900)):
            seen = NOW - age * SECOND
            verdicts.record(
                write, CheckVerdict(check=check, since=seen, seen=seen, verdict=word, sentence=f"It is {PAYLOAD}.")
            )
        for kind, result in (
            ("experiments", EXPERIMENTS),
            ("insights", INSIGHTS),
            ("fairness", FAIRNESS),
            ("drift", DRIFT),
            ("rules", RULES),
        ):
            findings.save(
                write,
                Audit(
                    audit_id=f"{kind}-1",
                    kind=kind,
                    job_id="1",
                    at=NOW - HOUR,
                    verdict="unknown",
                    sentence=f"Not enough data about {PAYLOAD}.",
                    population={"rows": 60000, "name": PAYLOAD, "reference": {"start": 0, "end": 1, "rows": 2}},
                    result=result,
                    artifacts={"report.html": f"audits/{kind}-1/report.html"},
                ),
            )
