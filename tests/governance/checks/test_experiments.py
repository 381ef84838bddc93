"""The readout of experiments over a lake whose truth is known."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from governance.checks.protocol import audit_runner
from storage import campaigns, documents
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.campaigns import Campaign
from storage.records.events import EventType
from storage.records.findings import Audit
from storage.records.policies import Installation
from tests.drawn_log import NOW, DrawnLog


def read_out(database: Database, home: Path, log: DrawnLog, *, share: float = 0.2, **asked: Any) -> Audit:
    log.write(database, Lake(home / "lake"))
    with database.write() as write:
        campaigns.save(write, Campaign(key="men", name="Men", surfaces=("home",), holdout=share), at=NOW)
        bought = Installation(events={"purchase": EventType(role="commitment")})
        documents.save(write, "installation", bought)
    asked = {"days": 28, **asked}
    return audit_runner("experiments")(database, Lake(home / "lake"), job_id="j", arguments=asked, now=NOW, home=home)


def holdout(audit: Audit, origin: str = "real") -> dict[str, Any]:
    held = (one for one in audit.result["experiments"] if (one["key"], one["origin"]) == ("holdout/men", origin))
    return next(held)


def test_a_lift_that_is_there_is_shown(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.10, "treated": 0.25}).holdout(1_500, each=4)
    one = holdout(read_out(sqlite_database, home, log))
    (clicks,) = [each for each in one["comparisons"] if each["metric"] == "clicks"]
    assert (one["advice"], one["verdict"], one["reference"]) == ("closed", "pass", "held_out")
    assert clicks["stands"] and clicks["lift"]["low"] < 0.15 < clicks["lift"]["high"]
    assert clicks["lift"]["relative_low"] > 0.0
    assert {each["metric"] for each in one["comparisons"]} == {"clicks", "buyers", "value"}
    assert one["health"]["srm"] == "pass" and one["health"]["crossed"] == 0
    assert "Shown to be clicked more" in one["sentence"]


def test_no_lift_is_not_shown_to_be_better(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.2, "treated": 0.2}).holdout(1_500)
    one = holdout(read_out(sqlite_database, home, log))
    assert one["verdict"] == "unknown"
    assert one["sentence"].startswith("Not shown")
    assert "more impressions per arm" in one["sentence"]


def test_shares_that_were_not_kept_silence_every_result(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.10, "treated": 0.25}).holdout(1_500, each=4)
    one = holdout(read_out(sqlite_database, home, log, share=0.5))
    assert (one["advice"], one["verdict"], one["health"]["srm"]) == ("mend", "fail", "fail")
    assert "better" not in one["sentence"] and "more" not in one["sentence"]


def test_results_are_hidden_until_enough_was_seen(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.2}).holdout(400, days=3)
    one = holdout(read_out(sqlite_database, home, log))
    assert one["advice"] == "wait"
    assert one["hidden"] == one["sentence"]
    assert "4 more days" in one["hidden"] and "more clicks in the smallest arm" in one["hidden"]
    audit = audit_runner("experiments")(
        sqlite_database, Lake(home / "lake"), job_id="k", arguments={"days": 28, "min_days": 3, "min_hits": 20},
        now=NOW, home=home,
    )  # fmt: skip
    assert holdout(audit)["hidden"] == ""


def test_of_simulated_rows_nothing_is_to_be_shipped(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.10, "treated": 0.25}).holdout(1_500, origin="simulated", each=4)
    one = holdout(read_out(sqlite_database, home, log), origin="simulated")
    assert (one["advice"], one["verdict"]) == ("closed", "unknown")
    assert one["sentence"].startswith("Simulated rows, of which no lift follows. Shown to be clicked more")
    assert "Ship" not in one["sentence"]


def test_simulated_rows_never_mix_with_real_ones(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.1}).holdout(300)
    log.chance = {"held_out": 0.1, "treated": 0.9}
    log.holdout(300, origin="simulated")
    audit = read_out(sqlite_database, home, log)
    real, made = holdout(audit), holdout(audit, "simulated")
    assert real["health"]["people"] == made["health"]["people"] == 300
    assert max(arm["rate"] for arm in real["arms"]) < 0.3 < max(arm["rate"] for arm in made["arms"])


def test_every_rate_is_recomputed_from_the_files(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.2}).holdout(500)
    one = holdout(read_out(sqlite_database, home, log))
    with duckdb.connect() as raw:
        rows = raw.execute(
            f"""WITH d AS (SELECT decision_id AS id, json_extract_string(arms, '$.holdout') AS arm, subject
                           FROM '{home}/lake/decisions/**/*.parquet'),
                     e AS (SELECT * FROM '{home}/lake/events/**/*.parquet')
                SELECT arm, count(DISTINCT d.subject), count(*) FILTER (type = 'impression'),
                       count(*) FILTER (type = 'click'), count(DISTINCT d.id)
                FROM d JOIN e ON e.decision_id = d.id GROUP BY arm"""
        ).fetchall()
    told = {(arm["arm"], arm["people"], arm["impressions"], arm["clicks"], arm["decisions"]) for arm in one["arms"]}
    assert told == set(rows)
    for arm in one["arms"]:
        assert arm["rate"] == pytest.approx(arm["clicks"] / arm["impressions"])


def test_an_unknown_argument_is_named(sqlite_database: Database, home: Path) -> None:
    with pytest.raises(Invalid, match="min_day"):
        audit_runner("experiments")(
            sqlite_database, Lake(home / "lake"), job_id="j", arguments={"min_day": 1}, now=NOW, home=home
        )


def test_nothing_drawn_is_said_so(sqlite_database: Database, home: Path) -> None:
    audit = audit_runner("experiments")(
        sqlite_database, Lake(home / "lake"), job_id="j", arguments={}, now=NOW, home=home
    )
    assert (audit.verdict, audit.result["experiments"]) == ("unknown", [])
    assert "No decision" in audit.sentence
