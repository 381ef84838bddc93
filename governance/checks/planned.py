"""What each planned fairness audit said last, and whether it still runs."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from storage import fairness_plans, findings
from storage.records.clock import HOUR
from storage.records.findings import Verdict

LATE = 2
"""An audit that is so many times as old as its plan allows says nothing of today."""


def look(ground: Ground) -> Finding:
    """Read the newest audit of every plan that is on."""
    plans = [stored.plan for stored in fairness_plans.listed(ground.read) if stored.plan.enabled]
    if not plans:
        return unknown("No fairness audit is planned; the Fairness page plans one.")
    newest = {each.plan: each for each in findings.latest_by_plan(ground.read)}
    verdicts: dict[str, Verdict] = {}
    told = []
    for plan in plans:
        last = newest.get(plan.key)
        late = last is None or ground.now - last.at > LATE * plan.every_hours * HOUR
        verdicts[plan.key] = "unknown" if last is None or late else last.verdict
        said = "never ran" if last is None else "is overdue; see its job on System" if late else last.sentence
        told.append(f"{plan.title or plan.key}: {said}")
    return Finding(verdict=gravest(verdicts), sentence=" · ".join(told), figures=dict(verdicts))


CHECK = Check(
    name="fairness",
    title="Fairness",
    question="Do the planned fairness audits run, and what did each say last?",
    look=look,
    every_s=300.0,
)
