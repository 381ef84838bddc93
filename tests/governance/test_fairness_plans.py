"""Plans of fairness audits, and the attributes that audits alone may read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from governance.api.metrics import expose
from governance.checks.check import Finding, Ground
from governance.checks.planned import CHECK
from governance.control import Control
from governance.patrol import Beat
from governance.tasks import TaskContext, tasks
from storage import fairness_plans, findings, jobs, leases, ledger, sensitive
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, NotFound
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, HOUR
from storage.records.findings import Audit, Verdict
from storage.records.tasks import SCHEDULE_LEASE

from .conftest import REASON, Clock, warrant
from .served import People

PLAN = {"key": "weekly", "every_hours": 168, "order": {"attributes": ["age", "sensitive.gender"], "days": 28}}


@pytest.fixture
def tick(control: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock) -> Callable[[], None]:
    lake = Lake(home / "lake")
    context = TaskContext(control=control, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    run = {task.name: task for task in tasks(context)}["fairness.plans"].run
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=1_000 * DAY)
    return lambda: run(token)


def test_a_plan_asks_for_its_audit_when_it_is_due(
    control: Control, sqlite_database: Database, clock: Clock, tick: Callable[[], None]
) -> None:
    def asked() -> list[str]:
        with sqlite_database.read() as read:
            return [str(job.arguments.get("plan")) for job in jobs.jobs(read, name="fairness")]

    tick()
    assert asked() == []
    control.do("fairness_plan.create", "weekly", {"plan": PLAN}, warrant())
    control.request_job("fairness", {}, warrant())
    tick()
    tick()
    assert asked() == ["weekly", "None"] or asked() == ["None", "weekly"]
    with sqlite_database.read() as read:
        job = next(job for job in jobs.jobs(read, name="fairness") if job.arguments.get("plan"))
    assert job.arguments["attributes"] == ["age", "sensitive.gender"]
    assert job.requested_by == "schedule"
    clock.at += 167 * HOUR
    tick()
    assert asked().count("weekly") == 1
    clock.at += HOUR
    tick()
    assert asked().count("weekly") == 2


def test_how_a_plan_judges_takes_a_second_person_and_keeps_what_it_was(
    control: Control, sqlite_database: Database
) -> None:
    made = control.do("fairness_plan.create", "weekly", {"plan": PLAN}, warrant())
    oftener = {"plan": {**PLAN, "every_hours": 24}}
    edited = control.do("fairness_plan.edit", "weekly", oftener, warrant(etag=made.etag))
    assert edited.level == "D1"
    for change in (
        {**PLAN, "order": {**PLAN["order"], "min_group": 500}},
        {**PLAN, "order": {**PLAN["order"], "attributes": ["age"]}},
        {**PLAN, "enabled": False},
    ):
        with pytest.raises(NeedsApproval):
            control.do("fairness_plan.edit", "weekly", {"plan": change}, warrant(etag=edited.etag, confirm="weekly"))
    with pytest.raises(NeedsApproval):
        control.do("fairness_plan.delete", "weekly", {}, warrant(etag=edited.etag, confirm="weekly"))
    with sqlite_database.read() as read:
        stored = fairness_plans.find(read, "weekly")
    assert stored is not None and stored.previous is not None
    assert (stored.plan.every_hours, stored.previous.every_hours) == (24, 168)
    with pytest.raises(Conflict):
        control.do("fairness_plan.create", "weekly", {"plan": PLAN}, warrant())


@pytest.mark.parametrize(
    "order",
    [
        {"attributes": ["a b"]},
        {"attributes": ["a", "a"]},
        {"metrics": ["charm"]},
        {"attributes": ["a"], "control": "a"},
        {"control": "sensitive.gender"},
        {"start": 1},
        {"plan": "other"},
        {"days": 0},
        {"nothing": 1},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(control: Control, order: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        control.do("fairness_plan.create", "weekly", {"plan": {**PLAN, "order": order}}, warrant())


def test_each_plan_tells_what_it_said_last_and_that_it_is_late(
    control: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock
) -> None:
    def look() -> Finding:
        with sqlite_database.read() as read:
            anchors = Anchors(home / "anchors.jsonl", keys.signing)
            return CHECK.look(Ground(read=read, now=clock.at, home=home, keys=keys, anchors=anchors))

    def audited(plan: str | None, verdict: Verdict, at: int) -> None:
        with sqlite_database.write() as write:
            audit = Audit(
                audit_id=f"fairness-{at}",
                kind="fairness",
                job_id="j",
                at=at,
                verdict=verdict,
                sentence=f"Said at {at}.",
                population={"plan": plan},
                result={},
            )
            findings.save(write, audit)

    assert (look().verdict, "planned" in look().sentence) == ("unknown", True)
    control.do("fairness_plan.create", "weekly", {"plan": PLAN}, warrant())
    assert "weekly: never ran" in look().sentence
    audited(None, "fail", clock.at)
    assert look().verdict == "unknown"
    audited("weekly", "pass", clock.at - 2)
    audited("weekly", "fail", clock.at - 1)
    assert look().verdict == "fail"
    assert look().sentence == f"weekly: Said at {clock.at - 1}."
    beat = Beat(database=sqlite_database, home=home, keys=keys, anchors=Anchors(home / "anchors.jsonl", keys.signing))
    text = expose(beat, now=clock.at, accept="")[0].decode()
    assert 'fairlead_fairness_verdict{audit="weekly"} 2.0' in text
    clock.at += 2 * 168 * HOUR
    assert look().verdict == "unknown"
    assert "overdue" in look().sentence


def test_sensitive_attributes_are_put_counted_and_dropped_without_a_trace_in_the_ledger(
    control: Control, sqlite_database: Database
) -> None:
    rows = [("anna", "gender", "woman"), ("bert", "gender", "man"), ("anna", "origin", "north")]
    told = control.sensitive.put(rows, warrant(), source="survey")
    assert (told.people, told.attributes) == (2, {"gender": 2, "origin": 1})
    control.sensitive.put([("bert", "gender", "other")], warrant(), source="survey")
    with sqlite_database.read() as read:
        held = {one.attribute: dict(one.values) for one in sensitive.coverage(read)}
        assert held == {"gender": {"woman": 1, "other": 1}, "origin": {"north": 1}}
        entries = ledger.entries(read, limit=10)
        assert not {"anna", "bert"} & set(sensitive.values(read, "gender"))
    text = " ".join(str(entry) for entry in entries)
    assert not any(word in text for word in ("anna", "woman", "north"))
    assert control.sensitive.drop("gender", warrant()).people == 2
    with pytest.raises(NotFound):
        control.sensitive.drop("gender", warrant())
    with pytest.raises(Forbidden):
        control.sensitive.put(rows, warrant("olga", "ops"), source="survey")


@pytest.mark.parametrize(
    ("rows", "source", "field"),
    [
        ([], "survey", "rows"),
        ([("", "gender", "f")], "survey", "rows.0.subject"),
        ([("a", "gen der", "f")], "survey", "rows.0.attribute"),
        ([("a", "gender", " ")], "survey", "rows.0.value"),
        ([("a", "gender", "f")], "", "source"),
    ],
)
def test_rows_that_say_nothing_are_refused_by_their_field(
    control: Control, rows: list[tuple[str, str, str]], source: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        control.sensitive.put(rows, warrant(), source=source)
    assert refused.value.problems[0].field == field


def test_only_fairness_read_sees_and_only_fairness_write_writes(people: People) -> None:
    why = {"reason": REASON}
    body = {"rows": [{"subject": "anna", "attribute": "gender", "value": "woman"}], "source": "survey", **why}
    anna, dora = people("anna"), people("dora", "data_scientist")
    assert anna.post("/fairness/attributes", json=body).json() == {"people": 1, "attributes": {"gender": 1}}
    assert dora.post("/fairness/attributes", json=body).status_code == 403
    assert dora.get("/fairness/attributes").json()["attributes"][0]["values"] == [["woman", 1]]
    assert people("olga", "ops").get("/fairness/attributes").status_code == 403
    assert dora.post("/fairness/plans", json={"plan": PLAN, **why}).status_code == 201
    shown = dora.get("/fairness/plans/weekly")
    assert shown.json()["plan"]["order"]["days"] == 28
    gone = {**why, "confirm": "weekly"}
    answer = dora.delete("/fairness/plans/weekly", json=gone, headers={"if-match": shown.headers["etag"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "FL-1407")
    assert dora.get("/fairness/plans").json()["plans"][0]["plan"]["key"] == "weekly"
