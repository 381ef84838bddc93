"""What people decide about drift: what is normal on a surface, and which drift is accepted until when."""

from collections.abc import Mapping
from dataclasses import field

from governance.actions import Action, Ground, Step, always, found, refuse, untagged
from governance.installation import installation
from storage import drift, jobs
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.access import Scope
from storage.records.clock import DAY, MINUTE
from storage.records.document import document, dump
from storage.records.drift import Acceptance, Reference, ReferencePlan
from storage.records.events import Origin

LONGEST_REFERENCE, LONGEST_ACCEPTANCE = 90 * DAY, 90 * DAY
SHORTEST_REFERENCE = 10 * MINUTE
SETTLED = 5 * MINUTE
"""How long after its end a window of decisions is taken for complete: the journal is in."""
WATCH = "drift_watch"
"""The job that looks at windows."""


@document
class NewReference:
    """Which rows of a surface are normal: those of ``origins`` decided in [start, end), microseconds UTC."""

    start: int
    end: int
    origins: tuple[Origin, ...] = ("live",)
    methods: Mapping[str, str] = field(default_factory=dict)


@document
class Accepted:
    """The drift of a feature that is accepted until a moment, microseconds UTC."""

    feature: str
    until: int


@document
class Withdrawn:
    """The feature whose drift is no longer accepted."""

    feature: str


def _reference_problems(read: Read, surface: str, payload: NewReference, now: int) -> tuple[Problem, ...]:
    from governance.checks.methods import METHODS

    wrong = sorted(set(payload.methods.values()) - METHODS.keys())
    checks = (
        (surface in installation(read).surfaces, "surface", "no such surface is declared in the settings"),
        (payload.end <= now, "end", "lies in the future; a reference is made of what was"),
        (payload.end - payload.start >= SHORTEST_REFERENCE, "start", "must lie at least ten minutes before the end"),
        (payload.end - payload.start <= LONGEST_REFERENCE, "start", "must lie at most 90 days before the end"),
        (bool(payload.origins), "origins", "name at least one of live, imported, simulated"),
        (not wrong, "methods", f"each must be one of {', '.join(METHODS)}"),
    )
    return tuple(Problem(field=name, message=message) for fine, name, message in checks if not fine)


def _set_reference(write: Write, key: str, payload: NewReference, ground: Ground) -> Step:
    refuse(_reference_problems(write, key, payload, ground.at))
    before = drift.reference(write, key)
    plan = ReferencePlan(
        surface=key, start=payload.start, end=payload.end, origins=payload.origins, methods=dict(payload.methods)
    )
    if before is not None and before.plan == plan:
        raise Conflict("this is the reference already")
    made = drift.add_reference(write, plan, author=ground.author, reason=ground.reason, at=ground.at)
    return Step(
        before={"version": before.version, **dump(before.plan)} if before else None,
        after={"version": made.version, **dump(plan)},
    )


def _accept(write: Write, key: str, payload: Accepted, ground: Ground) -> Step:
    reference: Reference = found(drift.reference(write, key), "reference of this surface")
    looked = drift.looks(write, key, limit=10)
    known = {row["feature"] for look in looked for row in look.features if look.reference == reference.version}
    checks = (
        (not known or payload.feature in known, "feature", "no look at this surface has found such a feature"),
        (payload.until > ground.at, "until", "must lie in the future"),
        (payload.until - ground.at <= LONGEST_ACCEPTANCE, "until", "must be at most 90 days from now"),
    )
    refuse(tuple(Problem(field=name, message=message) for fine, name, message in checks if not fine))
    before = drift.accepted(write, key).get(payload.feature)
    acceptance = Acceptance(
        surface=key,
        feature=payload.feature,
        reference=reference.version,
        author=ground.author,
        reason=ground.reason,
        at=ground.at,
        until=payload.until,
    )
    drift.accept(write, acceptance)
    return Step(before=dump(before) if before else None, after=dump(acceptance))


def _withdraw(write: Write, key: str, payload: Withdrawn, _ground: Ground) -> Step:
    before = found(drift.accepted(write, key).get(payload.feature), "accepted drift")
    drift.withdraw(write, key, payload.feature)
    return Step(before=dump(before), after=None)


def due(read: Read, *, now: int, window: int) -> bool:
    """Tell whether a reference waits to be counted, or a window ended since the last run."""
    referred = drift.references(read)
    last = next(iter(jobs.jobs(read, name=WATCH, limit=1)), None)
    if not referred or (last is not None and last.state in {"queued", "running"}):
        return False
    waits = any(each.counted_at is None and (last is None or each.at > last.created_at) for each in referred)
    ended = (now - SETTLED) // window * window + SETTLED
    return waits or last is None or last.created_at < ended


ACTIONS = tuple(
    Action(
        kind=f"drift.{verb}",
        object_kind="drift",
        scope=Scope.JOB_RUN,
        propose=Scope.JOB_RUN,
        payload=payload,
        level=always("D1"),
        perform=perform,
        etag=untagged,
        publishes=False,
    )
    for verb, payload, perform in (
        ("reference", NewReference, _set_reference),
        ("accept", Accepted, _accept),
        ("withdraw", Withdrawn, _withdraw),
    )
)
