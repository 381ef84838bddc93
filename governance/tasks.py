"""What governance does by the clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from governance import drifting, fairness_plans, trends
from governance.alerts import rounds
from governance.alerts.destinations import Destination
from governance.best_variant import best_variants, compute
from governance.consent_tasks import consent_tasks
from governance.control import Control
from governance.patrol import Beat, patrol
from governance.retraining import JOB, RetrainPlan, due
from governance.review import in_service
from governance.rollouts.watch import EVERY_S, watch
from governance.subject_tasks import subject_tasks
from governance.warrants import Warrant, system
from scoring_core.learning.sizes import take_census
from storage import cells, jobs, leases, segments
from storage.anchors import Anchors
from storage.database import Database, Read
from storage.errors import Unavailable
from storage.keys import Keys
from storage.lake import Lake
from storage.records import clock
from storage.records.document import dump
from storage.records.tasks import SCHEDULE_LEASE, Task

CENSUS_REST = 4
"""A census that takes long rests so many times as long before the next."""
_SCHEDULE = system("schedule")
FAIRNESS = "fairness"
RULES = "rules"
"""The job that judges rules."""
READ_OUT = ("experiments", "insights")
"""The jobs that read out what chance has drawn, and what audiences prefer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What the tasks work with; ``lease`` names the lease whose fencing token they are given."""

    control: Control
    database: Database
    keys: Keys
    home: Path
    lake: Lake
    lease: str = SCHEDULE_LEASE
    now: Callable[[], int] = field(default=clock.now)
    retraining: RetrainPlan = field(default_factory=RetrainPlan)
    drift_window_s: int = 3_600
    destinations: Sequence[Destination] = ()


def _fence(context: TaskContext, token: int) -> Callable[[Read], None]:
    def guard(read: Read) -> None:
        if not leases.holds(read, context.lease, token):
            raise Unavailable("another instance leads the schedule by now")

    return guard


def _anchor(context: TaskContext) -> Callable[[int], None]:
    anchors = Anchors(context.home / "anchors" / "anchors.jsonl", context.keys.signing)

    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            anchors.anchor(read, context.now())

    return run


def _best_variants(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="best variants ranked over the last seven closed days")

    def run(token: int) -> None:
        with context.database.read() as read:
            best = compute(read, now=context.now())
            same = dict(best.items) == dict(best_variants(read))
        if not same:
            context.control.publish_best_variants(best, warrant, guard=_fence(context, token))

    return run


def _expire(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="waited over 72 hours, or its object changed meanwhile")

    def run(token: int) -> None:
        context.control.expire(warrant, guard=_fence(context, token))

    return run


def _due(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="a change was due")

    def run(token: int) -> None:
        context.control.timetable.apply_due(warrant, _fence(context, token))

    return run


def _logins(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="logins that ended over a week ago are forgotten")

    def run(token: int) -> None:
        context.control.forget_logins(warrant, guard=_fence(context, token))

    return run


def _retrain(context: TaskContext) -> Callable[[int], None]:
    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            slots = due(read, context.retraining, context.now())
        for slot in slots:
            warrant = Warrant(by=_SCHEDULE, reason=f"the {slot.kind} retraining of {slot.at}")
            context.control.request_job(JOB, {"kind": slot.kind, "slot": slot.at}, warrant)

    return run


def _judge_rules(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="rules in service are judged once an hour")

    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            last = next(iter(jobs.jobs(read, name=RULES, limit=1)), None)
            wanted = bool(in_service(read)) and (last is None or last.created_at <= context.now() - clock.HOUR)
        if wanted:
            context.control.request_job(RULES, {}, warrant)

    return run


def _read_out(context: TaskContext) -> Callable[[int], None]:
    """Ask once an hour for what experiments and audiences show, once there is any row to read."""
    warrant = Warrant(by=_SCHEDULE, reason="experiments and audiences are read out once an hour")

    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            seen = cells.campaign_span(read) is not None
            last = {name: next(iter(jobs.jobs(read, name=name, limit=1)), None) for name in READ_OUT}
        for name, job in last.items():
            if seen and (job is None or job.created_at <= context.now() - clock.HOUR):
                context.control.request_job(name, {}, warrant)

    return run


def _watch_drift(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="windows that ended are held against their references")

    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            wanted = drifting.due(read, now=context.now(), window=context.drift_window_s * clock.SECOND)
        if wanted:
            context.control.request_job(drifting.WATCH, {"window_s": context.drift_window_s}, warrant)

    return run


def _census(context: TaskContext) -> Callable[[int], None]:
    rest_until = 0

    def run(token: int) -> None:
        nonlocal rest_until
        begun = context.now()
        if begun < rest_until:
            return
        census = take_census(context.database, context.lake, context.home, now=begun)
        with context.database.write() as write:
            _fence(context, token)(write)
            segments.save(write, census)
        ended = context.now()
        rest_until = ended + CENSUS_REST * (ended - begun)

    return run


def _trends(context: TaskContext) -> Callable[[int], None]:
    warrant = Warrant(by=_SCHEDULE, reason="what trends in the cohorts that policies ask for")

    def run(token: int) -> None:
        with context.database.read() as read:
            found = trends.compute(read, context.lake, now=context.now())
            same = dict(found.items) == dict(trends.trends(read))
        if not same:
            context.control.do("trends.update", trends.TRENDS, dump(found), warrant, guard=_fence(context, token))

    return run


def _patrol(context: TaskContext) -> Callable[[int], None]:
    anchors = Anchors(context.home / "anchors" / "anchors.jsonl", context.keys.signing)
    beat = Beat(database=context.database, home=context.home, keys=context.keys, anchors=anchors)

    def run(token: int) -> None:
        patrol(beat, now=context.now(), guard=_fence(context, token))

    return run


def _alerts(context: TaskContext) -> Callable[[int], None]:
    def run(token: int) -> None:
        rounds.look(context.database, context.destinations, now=context.now(), guard=_fence(context, token))

    return run


def _rollouts(context: TaskContext) -> Callable[[int], None]:
    return watch(
        context.database,
        context.lake,
        context.control.rollouts,
        fence=lambda token: _fence(context, token),
        now=context.now,
    )


def _plans(context: TaskContext) -> Callable[[int], None]:
    def run(token: int) -> None:
        with context.database.read() as read:
            _fence(context, token)(read)
            due = fairness_plans.due(read, context.now())
        for plan in due:
            warrant = Warrant(by=_SCHEDULE, reason=f"the fairness plan {plan.key}, every {plan.every_hours} h")
            context.control.request_job(FAIRNESS, {**dump(plan.order), "plan": plan.key}, warrant)

    return run


def tasks(context: TaskContext) -> tuple[Task, ...]:
    """Return everything that governance does by the clock."""
    return (
        Task(name="ledger.anchor", every_s=60.0, run=_anchor(context)),
        Task(name="best_variants", every_s=60.0, run=_best_variants(context)),
        Task(name="segments.count", every_s=60.0, run=_census(context)),
        Task(name="changes.expire", every_s=300.0, run=_expire(context)),
        Task(name="changes.due", every_s=2.0, run=_due(context)),
        Task(name="logins.forget", every_s=3600.0, run=_logins(context)),
        Task(name="retrain", every_s=60.0, run=_retrain(context)),
        Task(name="rules.judge", every_s=60.0, run=_judge_rules(context)),
        Task(name="experiments.read", every_s=60.0, run=_read_out(context)),
        Task(name="checks.patrol", every_s=30.0, run=_patrol(context)),
        Task(name="alerts", every_s=rounds.EVERY_S, run=_alerts(context)),
        Task(name="fairness.plans", every_s=60.0, run=_plans(context)),
        Task(name="drift.watch", every_s=60.0, run=_watch_drift(context)),
        Task(name="trends", every_s=600.0, run=_trends(context)),
        Task(name="rollouts", every_s=EVERY_S, run=_rollouts(context)),
        *consent_tasks(
            context.database,
            context.lake,
            context.home,
            context.control.consents,
            lambda token: _fence(context, token),
            now=context.now,
        ),
        *subject_tasks(
            context.database,
            context.control.request_job,
            lambda token: _fence(context, token),
            now=context.now,
        ),
    )
