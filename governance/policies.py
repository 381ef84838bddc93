"""Policies: drafts, the rollout ladder, rollback."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always, found, refuse, untagged
from governance.cards import freeze, unwritten
from governance.installation import installation
from governance.validity import key_problems, policy_problems, segment_problems
from storage import policies
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.policies import PolicyHead
from storage.records.access import Scope
from storage.records.changes import Level
from storage.records.document import document, dump
from storage.records.policies import Policy, Rollout

LADDER = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0)
NARROW_POINTS = 10.0
NARROW_LIMIT = 50.0


@document
class NewPolicy:
    """A policy for a surface, still without a version."""

    surface: str


@document
class NewDraft:
    """One more version of a policy."""

    document: Policy
    note: str = ""


@document
class RolloutPlan:
    """How far a version goes: at once to ``percent``, or one after the other through ``steps``; zero takes it back."""

    version: int
    percent: float | None = None
    steps: tuple[float, ...] = ()
    segment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stops(self) -> tuple[float, ...]:
        """The percentages, in order."""
        return self.steps or (() if self.percent is None else (self.percent,))


def _etag(read: Read, key: str) -> str:
    head = policies.head(read, key)
    return head.etag if head else ""


def head_of(read: Read, key: str) -> PolicyHead:
    """Return a policy, or raise ``NotFound``."""
    head: PolicyHead = found(policies.head(read, key), "policy")
    return head


def plain(head: PolicyHead) -> dict[str, Any]:
    """Return what the ledger keeps of a policy."""
    return {
        "key": head.key,
        "surface": head.surface,
        "stable": head.stable,
        "previous": head.previous,
        "rollout": dump(head.rollout) if head.rollout else None,
    }


def _create(write: Write, key: str, payload: NewPolicy, ground: Ground) -> Step:
    settings = installation(write)
    problems = list(key_problems(key))
    if payload.surface not in settings.surfaces:
        problems.append(Problem(field="surface", message="no such surface is declared in the installation's settings"))
    refuse(tuple(problems))
    for other in policies.heads(write):
        if other.key == key or other.surface == payload.surface:
            raise Conflict("there is a policy of this key, or one for this surface, already")
    head = PolicyHead(key=key, surface=payload.surface, created_at=ground.at)
    policies.save(write, head)
    return Step(before=None, after=plain(head), etag=head.etag)


def _draft(write: Write, key: str, payload: NewDraft, ground: Ground) -> Step:
    head = head_of(write, key)
    problems = list(policy_problems(payload.document, installation(write)))
    if payload.document.surface != head.surface:
        problems.append(Problem(field="document.surface", message="must be the surface of the policy"))
    refuse(tuple(problems))
    version = policies.add_version(
        write, key, document=payload.document, author=ground.author, note=payload.note, at=ground.at
    )
    after = {"version": version.version, "digest": version.digest, "document": dump(version.document)}
    return Step(before=None, after=after, etag=head.etag)


def current_percent(head: PolicyHead, version: int, segment: Mapping[str, Any]) -> float:
    """Return how many per cent of the segment a version reaches now."""
    if head.stable == version:
        return 100.0
    rollout = head.rollout
    reached = rollout is not None and rollout.version == version and dict(rollout.segment) == dict(segment)
    return rollout.percent if rollout is not None and reached else 0.0


def next_stop(head: PolicyHead, plan: RolloutPlan) -> float | None:
    """Return where a plan goes next; None when it is done."""
    now = current_percent(head, plan.version, plan.segment)
    if plan.stops == (0.0,):
        return 0.0 if now else None
    return next((stop for stop in plan.stops if stop > now or not plan.steps), None)


def _rollout_level(read: Read, key: str, plan: RolloutPlan) -> Level:
    head = head_of(read, key)
    now = current_percent(head, plan.version, plan.segment)
    target = plan.stops[-1] if plan.stops else 0.0
    if head.rollout is not None and head.rollout.version == plan.version and (target <= now or target == 0.0):
        return "safe"
    narrow = now > 0.0 and target - now <= NARROW_POINTS and target <= NARROW_LIMIT
    return "D1" if narrow else "D2"


def _check_plan(write: Write, head: PolicyHead, plan: RolloutPlan) -> None:
    problems = list(segment_problems(plan.segment, head.surface, installation(write)))
    if (plan.percent is None) == (not plan.steps):
        problems.append(Problem(field="percent", message="name either percent or steps"))
    if any(stop not in LADDER for stop in plan.stops if stop != 0.0 or plan.steps):
        stops = ", ".join(f"{stop:g}" for stop in LADDER)
        problems.append(Problem(field="percent", message=f"must be a stop of the ladder: {stops}; 0 takes it back"))
    if list(plan.steps) != sorted(set(plan.steps)):
        problems.append(Problem(field="steps", message="must rise"))
    if policies.version(write, head.key, plan.version) is None:
        problems.append(Problem(field="version", message="no such version of this policy"))
    elif plan.stops != (0.0,):
        problems += unwritten(write, head.key, plan.version)
    refuse(tuple(problems))


def after_stop(head: PolicyHead, plan: RolloutPlan, stop: float, at: int) -> PolicyHead:
    """Return a policy with a version at one stop of its plan; everyone's is the stable one."""
    if stop == 0.0:
        return replace(head, rollout=None)
    if stop == LADDER[-1] and not plan.segment:
        return replace(head, stable=plan.version, previous=head.stable or head.previous, rollout=None)
    going = head.rollout if head.rollout and head.rollout.version == plan.version else None
    rollout = Rollout(
        version=plan.version,
        percent=stop,
        seed=f"{head.key}:{plan.version}",
        segment=plan.segment,
        started_at=going.started_at if going else at,
    )
    return replace(head, rollout=rollout)


def _rollout(write: Write, key: str, plan: RolloutPlan, ground: Ground) -> Step:
    head = head_of(write, key)
    _check_plan(write, head, plan)
    if head.stable == plan.version:
        raise Conflict("this version is the stable one already")
    stop = next_stop(head, plan)
    if stop is None:
        raise Conflict("this version is where the plan wants it already")
    after = after_stop(head, plan, stop, ground.at)
    if after == head:
        raise Conflict("this version is at that percentage already")
    policies.save(write, after)
    freeze(write, key, plan.version, at=ground.at)
    return Step(before=plain(head), after=plain(after), etag=after.etag, done=stop == plan.stops[-1])


def _rollback(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    head = head_of(write, key)
    if head.rollout is not None:
        after = replace(head, rollout=None)
    elif head.previous is not None:
        after = replace(head, stable=head.previous, previous=None)
    else:
        raise Conflict("there is nothing to go back to: no rollout, and no previous version")
    policies.save(write, after)
    return Step(before=plain(head), after=plain(after), etag=after.etag)


ACTIONS = (
    Action(
        kind="policy.create",
        object_kind="policy",
        scope=Scope.POLICY_PROPOSE,
        payload=NewPolicy,
        level=always("D1"),
        perform=_create,
        etag=untagged,
    ),
    Action(
        kind="policy.draft",
        object_kind="policy",
        scope=Scope.POLICY_PROPOSE,
        payload=NewDraft,
        level=always("D1"),
        perform=_draft,
        etag=_etag,
        publishes=False,
    ),
    Action(
        kind="policy.rollout",
        object_kind="policy",
        scope=Scope.POLICY_APPLY,
        payload=RolloutPlan,
        level=_rollout_level,
        perform=_rollout,
        etag=_etag,
    ),
    Action(
        kind="policy.rollback",
        object_kind="policy",
        scope=Scope.POLICY_APPLY,
        payload=Nothing,
        level=always("safe"),
        perform=_rollback,
        etag=_etag,
    ),
)
