"""Audits of fairness by the clock: what is watched, how it is judged, how often."""

from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always, found, refuse, untagged
from governance.validity import key_problems
from storage import fairness_plans, jobs
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.access import Scope
from storage.records.changes import Level
from storage.records.clock import HOUR
from storage.records.document import document, dump
from storage.records.fairness import ITEM, METRICS, MOST_ATTRIBUTES, SENSITIVE, FairnessArguments, FairnessPlan

MOST_JOBS = 1_000
"""So far back is looked for a plan's last audit."""


@document
class NewFairnessPlan:
    """A plan, whole."""

    plan: FairnessPlan


def problems(order: FairnessArguments) -> tuple[Problem, ...]:
    """Return what is wrong with what an audit is asked to look at."""
    names = (*order.attributes, *([] if order.control is None else [order.control]))
    told = {
        "attributes": {
            "a name may hold letters, digits, '_', '-' and '.' only": all(
                name.replace("_", "").replace("-", "").replace(".", "").isalnum() for name in names
            ),
            f"name at most {MOST_ATTRIBUTES}, each once": len(set(order.attributes)) == len(order.attributes)
            and len(order.attributes) <= MOST_ATTRIBUTES,
        },
        "metrics": {"must be among " + ", ".join(METRICS): set(order.metrics) <= set(METRICS)},
        "control": {
            "is compared by itself; leave it out of the attributes": order.control not in order.attributes,
            "must be an attribute of the context or of what people stated": order.control is None
            or not order.control.startswith((ITEM, SENSITIVE)),
        },
        "end": {"must be after start": order.start is None or order.end is None or order.start < order.end},
        "days": {
            "says the window by itself; leave start and end out": order.days is None
            or (order.start is None and order.end is None)
        },
    }
    return tuple(
        Problem(field=name, message=message)
        for name, rules in told.items()
        for message, kept in rules.items()
        if not kept
    )


def due(read: Read, now: int) -> tuple[FairnessPlan, ...]:
    """Return the plans whose last audit was asked for longer ago than they say, or never."""
    last: dict[str, int] = {}
    for job in jobs.jobs(read, name="fairness", limit=MOST_JOBS):
        key = str(job.arguments.get("plan") or "")
        last[key] = max(last.get(key, 0), job.created_at)
    plans = [stored.plan for stored in fairness_plans.listed(read) if stored.plan.enabled]
    return tuple(plan for plan in plans if last.get(plan.key, 0) <= now - plan.every_hours * HOUR)


def _problems(key: str, plan: FairnessPlan) -> tuple[Problem, ...]:
    same = () if key == plan.key else (Problem(field="plan.key", message="differs from the key addressed"),)
    fixed = (
        (Problem(field="plan.order", message="a plan looks at the days before each run; say days, no start and end"),)
        if plan.order.start is not None or plan.order.end is not None or plan.order.plan is not None
        else ()
    )
    inside = tuple(Problem(field=f"plan.order.{each.field}", message=each.message) for each in problems(plan.order))
    return (*key_problems(key), *same, *fixed, *inside)


def _etag(read: Read, key: str) -> str:
    stored = fairness_plans.find(read, key)
    return stored.etag if stored else ""


def _stored(read: Read, key: str) -> fairness_plans.StoredPlan:
    stored: fairness_plans.StoredPlan = found(fairness_plans.find(read, key), "fairness plan")
    return stored


def _create(write: Write, key: str, payload: NewFairnessPlan, ground: Ground) -> Step:
    refuse(_problems(key, payload.plan))
    if fairness_plans.find(write, key) is not None:
        raise Conflict("there is a fairness plan of this key already")
    stored = fairness_plans.save(write, payload.plan, previous=None, at=ground.at)
    return Step(before=None, after=dump(payload.plan), etag=stored.etag)


def _edit(write: Write, key: str, payload: NewFairnessPlan, ground: Ground) -> Step:
    before = _stored(write, key).plan
    refuse(_problems(key, payload.plan))
    if before == payload.plan:
        raise Conflict("the plan is like this already")
    stored = fairness_plans.save(write, payload.plan, previous=before, at=ground.at)
    return Step(before=dump(before), after=dump(payload.plan), etag=stored.etag)


def _delete(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    before = _stored(write, key).plan
    fairness_plans.remove(write, key)
    return Step(before=dump(before), after=None)


def _edit_level(read: Read, key: str, payload: NewFairnessPlan) -> Level:
    """Tell that watching otherwise, or no more, is a second person's matter; title and hours are not."""
    before = _stored(read, key).plan
    return "D1" if (before.order, before.enabled) == (payload.plan.order, payload.plan.enabled) else "D2"


def _action(verb: str, **more: Any) -> Action:
    return Action(
        kind=f"fairness_plan.{verb}", object_kind="fairness_plan", scope=Scope.JOB_RUN, publishes=False, **more
    )


ACTIONS = (
    _action("create", payload=NewFairnessPlan, level=always("D1"), perform=_create, etag=untagged),
    _action("edit", payload=NewFairnessPlan, level=_edit_level, perform=_edit, etag=_etag, tagged=True),
    _action("delete", payload=Nothing, level=always("D2"), perform=_delete, etag=_etag, tagged=True),
)
