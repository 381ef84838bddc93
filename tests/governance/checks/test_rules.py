"""The judgement of rules over a lake whose truth is known: arms, people, reference, and what is advised."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from governance.checks.protocol import audit_runner
from storage import catalogue, findings, rules
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.records.decisions import Decision
from storage.records.events import Event, Origin
from storage.records.findings import Audit
from storage.records.items import Item
from storage.records.rules import Rule, RuleArm

START = 1_700_000_000 * SECOND
NOW = START + 3 * DAY
TESTED = Rule(key="lift", action="boost", factor=2.0, arms=(RuleArm(key="out", share=0.5, off=True),))


def lived(
    lake: Lake,
    database: Database,
    *,
    decisions: int,
    rate: Mapping[str, float],
    origin: Origin = "live",
    applied: tuple[str, ...] = ("lift:boost",),
    tested: bool = True,
    at: int = START,
    log: str = "a",
) -> None:
    """Decisions of two arms by turns, one impression each, clicks by the rate of the arm."""
    rng = np.random.default_rng(5)
    made, told = [], []
    for row in range(decisions):
        arm = "default" if row % 2 else "out"
        key, moment = f"{log}-{row:06d}", at + row * SECOND
        made.append(
            Decision(
                decision_id=key, at=moment, replica="test", subject=f"p{row % 500}", session=None, sequence=0,
                surface="home", campaign=None, slots=1, revision=1, consent_epoch=0, policy="home", version=1,
                bucket=None, served_by="rules", reason="ok", items=("b1",), positions=(1,), propensity=(1.0,),
                propensity_kind="conditional", origin=origin, arms={"rule/lift": arm} if tested else {},
                rules=applied if arm == "default" else (),
            )
        )  # fmt: skip
        common = {"received_at": moment, "item": "b1", "decision_id": key, "origin": origin}
        told.append(Event(event_id=f"{key}-s", type="impression", at=moment, **common))
        if rng.random() < rate[arm]:
            told.append(Event(event_id=f"{key}-c", type="click", at=moment + 1, **common))
    with database.write() as write:
        catalogue.upsert(write, [Item(item_id="b1")], now=START)
        for kind, records in (("decisions", made), ("events", told)):
            staged = lake.stage(
                kind, replica="test", log=log, from_seq=1, to_seq=len(records), origin=origin, records=records
            )
            lake.register(write, staged, now=START)


def judged(database: Database, home: Path, *standing: Rule, at: int = START, job: str = "j", **asked: Any) -> Audit:
    with database.write() as write:
        for rule in standing:
            rules.save(write, rule, previous=None, at=at)
    return audit_runner("rules")(database, Lake(home / "lake"), job_id=job, arguments=asked, now=NOW, home=home)


def kinds(audit: Audit) -> list[str]:
    return [one["kind"] for one in audit.result["advice"]]


def test_a_rule_that_harms_is_named_with_its_evidence(sqlite_database: Database, home: Path) -> None:
    lived(Lake(home / "lake"), sqlite_database, decisions=6_000, rate={"out": 0.2, "default": 0.1})
    audit = judged(sqlite_database, home, TESTED)
    assert audit.verdict == "fail" and kinds(audit) == ["harms"]
    assert "“lift”, as it stands, lowers the click rate" in audit.sentence and "3,000 impressions" in audit.sentence
    effect = audit.result["effects"][0]
    assert effect["tested"] and effect["reference"] == "out"
    assert (effect["eligible"], effect["held"], effect["applied"]) == (6_000, 6_000, 3_000)
    here = {arm["arm"]: arm for arm in effect["arms"]}
    assert here["default"]["versus"]["high"] < 0.0 and here["default"]["versus"]["unit"] == "people"
    assert here["default"]["low"] < here["default"]["rate"] < here["default"]["high"]
    assert here["default"]["conversions"] == here["default"]["clicks"]
    with sqlite_database.read() as read:
        assert findings.audits(read, "rules")[0].result == audit.result


def test_a_rule_that_helps_is_named_but_simulated_people_prove_nothing(sqlite_database: Database, home: Path) -> None:
    lived(Lake(home / "lake"), sqlite_database, decisions=6_000, rate={"out": 0.1, "default": 0.2}, origin="simulated")
    audit = judged(sqlite_database, home, TESTED)
    assert audit.verdict == "pass" and kinds(audit) == ["helps"] and "nothing follows for real people" in audit.sentence


def test_too_few_are_said_to_be_too_few(sqlite_database: Database, home: Path) -> None:
    lived(Lake(home / "lake"), sqlite_database, decisions=200, rate={"out": 0.1, "default": 0.1})
    audit = judged(sqlite_database, home, TESTED)
    assert audit.verdict == "unknown" and kinds(audit) == ["too_little"]
    assert audit.result["advice"][0]["missing"] > 1_000
    assert "Nothing is shown for or against a rule yet" in audit.sentence


def test_a_rule_without_a_test_is_never_said_to_help(sqlite_database: Database, home: Path) -> None:
    rule = Rule(key="lift", action="boost", factor=2.0, when={"age": 3})
    lived(Lake(home / "lake"), sqlite_database, decisions=6_000, rate={"out": 0.1, "default": 0.2}, tested=False)
    better = judged(sqlite_database, home, rule)
    assert kinds(better) == ["untested"] and better.verdict == "unknown"
    lived(
        Lake(home / "lake"), sqlite_database, decisions=9_000, rate={"out": 0.4, "default": 0.05}, tested=False, log="b"
    )
    worse = judged(sqlite_database, home, rule, job="k")
    assert kinds(worse) == ["worse_where_applied"] and "The people differ" in worse.sentence
    assert worse.result["effects"][0]["reference"] == "not applied"


def test_rules_that_never_or_always_apply_are_named(sqlite_database: Database, home: Path) -> None:
    lived(Lake(home / "lake"), sqlite_database, decisions=2_400, rate={"out": 0.1, "default": 0.1}, applied=())
    rule = Rule(key="idle", action="boost", factor=2.0, when={"age": 3})
    assert "never_fires" in kinds(judged(sqlite_database, home, rule))


def test_a_rule_is_judged_since_it_last_changed(sqlite_database: Database, home: Path) -> None:
    lived(Lake(home / "lake"), sqlite_database, decisions=4_000, rate={"out": 0.3, "default": 0.1})
    lived(
        Lake(home / "lake"), sqlite_database, decisions=1_000, rate={"out": 0.1, "default": 0.1},
        at=START + DAY, log="b",
    )  # fmt: skip
    effect = judged(sqlite_database, home, TESTED, at=START + DAY).result["effects"][0]
    assert effect["since"] == START + DAY and effect["held"] == 1_000


def test_without_rules_there_is_nothing_to_judge(sqlite_database: Database, home: Path) -> None:
    audit = judged(sqlite_database, home)
    assert audit.verdict == "unknown" and audit.sentence == "No rule is on, so there is nothing to judge."


def test_unknown_arguments_are_refused(sqlite_database: Database, home: Path) -> None:
    with pytest.raises(Invalid):
        judged(sqlite_database, home, weeks=2)
