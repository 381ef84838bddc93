"""Beginning a gated rollout: what a plan must say, the traffic that it announces, and its first step."""

from collections.abc import Iterator
from dataclasses import replace

import uuid_utils

from governance.actions import Action, Ground, Step, always, refuse
from governance.cards import freeze, unwritten
from governance.installation import installation
from governance.policies import LADDER, RolloutPlan, after_stop, head_of, plain
from governance.rollouts.announce import announce
from governance.rollouts.preflight import Preflight, preflight
from governance.validity import segment_problems
from storage import campaigns, cells, policies, revisions, rollouts
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.policies import PolicyHead
from storage.records.access import Scope
from storage.records.clock import DAY
from storage.records.document import dump
from storage.records.policies import Installation, Surface
from storage.records.rollouts import GatedPlan, GatedRollout, StepMark

ASSUMED_RATE = 0.05
"""Where nothing was counted yet and the plan names no rate."""
MEASURED = 7 * DAY
LEAST_SHOWN = 1_000


def _surface(settings: Installation, key: str) -> Surface:
    return settings.surfaces.get(key) or Surface(key=key)


def compared(plan: GatedPlan, settings: Installation, surface: str) -> tuple[str, ...]:
    """Return the attributes of the context whose mix is compared: those that the plan names, or all that are words."""
    known = _surface(settings, surface).context
    if plan.features is not None:
        return plan.features
    return tuple(name for name, attribute in known.items() if attribute.type in {"string", "boolean"})


def grouped(plan: GatedPlan, settings: Installation, surface: str) -> tuple[str, ...]:
    """Return the attributes by which nobody may be harmed: those that the plan names, or the sensitive ones."""
    known = _surface(settings, surface).context
    if plan.groups is not None:
        return plan.groups
    return tuple(name for name, attribute in known.items() if attribute.sensitive)


def _problems(plan: GatedPlan, head: PolicyHead, settings: Installation) -> Iterator[Problem]:
    if any(step not in LADDER for step in plan.steps) or list(plan.steps) != sorted(set(plan.steps)):
        stops = ", ".join(f"{stop:g}" for stop in LADDER)
        yield Problem(field="steps", message=f"must rise, by stops of the ladder: {stops}")
    if not plan.steps or plan.steps[0] >= 100.0:
        yield Problem(field="steps", message="must begin below 100 per cent, so that there is something to compare")
    known = _surface(settings, head.surface).context
    for field, names in (("groups", plan.groups or ()), ("features", plan.features or ())):
        for name in names:
            if name not in known or known[name].type not in {"string", "boolean"}:
                yield Problem(field=field, message="names attributes of the surface's context that are words")
                break
    if settings.events and plan.outcome not in settings.events:
        yield Problem(field="outcome", message="no such event type is declared in the installation's settings")
    if "fairness" not in plan.waived and not grouped(plan, settings, head.surface):
        yield Problem(
            field="groups",
            message="no sensitive attribute is declared, fairness cannot be assessed: name groups, or waive the gate",
        )
    if "drift" not in plan.waived and not compared(plan, settings, head.surface):
        yield Problem(field="features", message="the surface declares no attribute to compare: waive the gate drift")


def base_rate(read: Read, plan: GatedPlan, surface: str, at: int) -> tuple[float, str]:
    """Return how often a seen decision has the outcome, and where that is from. Measured are hits of the campaigns of
    the surface; another event than the click has to be named."""
    if plan.base_rate is not None:
        return plan.base_rate, "plan"
    shown = hits = 0
    for stored in campaigns.listed(read):
        if surface in stored.campaign.surfaces:
            found = cells.totals(read, start=at - MEASURED, end=at, campaign=stored.campaign.key, by=())
            shown += sum(cell.shown_decisions for cell in found)
            hits += sum(cell.hit_decisions for cell in found)
    if plan.outcome == "click" and shown >= LEAST_SHOWN and 0 < hits < shown:
        return hits / shown, "measured"
    return ASSUMED_RATE, "assumed"


def drafted(read: Read, key: str, plan: GatedPlan, ground: Ground) -> GatedRollout:
    """Return the rollout that a plan would begin, or raise what is wrong with it."""
    head = head_of(read, key)
    settings = installation(read)
    problems = [*segment_problems(plan.segment, head.surface, settings), *_problems(plan, head, settings)]
    if policies.version(read, key, plan.version) is None:
        problems.append(Problem(field="version", message="no such version of this policy"))
    else:
        problems += unwritten(read, key, plan.version)
    refuse(tuple(problems))
    if head.stable is None:
        raise Conflict("there is no stable version to compare with; roll one out by hand first")
    if head.stable == plan.version:
        raise Conflict("this version is the stable one already")
    if head.rollout is not None or rollouts.current(read, key) is not None:
        raise Conflict("a rollout of this policy is under way; take it back, or let it end")
    rate, source = base_rate(read, plan, head.surface, ground.at)
    return GatedRollout(
        rollout_id=str(uuid_utils.uuid7()),
        policy=key,
        plan=plan,
        state="running",
        author=ground.author,
        reason=ground.reason,
        marks=(StepMark(percent=plan.steps[0], revision=revisions.number(read) + 1, at=ground.at),),
        announced=announce(plan, rate),
        base_rate=rate,
        rate_from=source,  # type: ignore[arg-type]  # one of the three words that base_rate gives
        created_at=ground.at,
        updated_at=ground.at,
    )


def _start(write: Write, key: str, plan: GatedPlan, ground: Ground) -> Step:
    rollout = drafted(write, key, plan, ground)
    found: Preflight = preflight(write, key, plan.version)
    if found.verdict == "fail" or (plan.preflight == "require" and found.verdict != "pass"):
        raise Conflict(f"the pre-flight gate does not let it start: {found.sentence}")
    head = head_of(write, key)
    after = after_stop(
        head,
        RolloutPlan(version=plan.version, percent=plan.steps[0], segment=plan.segment),
        plan.steps[0],
        ground.at,
    )
    policies.save(write, after)
    freeze(write, key, plan.version, at=ground.at)
    rollouts.save(write, replace(rollout, note=found.sentence))
    told = {
        **plain(after),
        "rollout_id": rollout.rollout_id,
        "plan": dump(plan),
        "announced": rollout.announced,
        "base_rate": rollout.base_rate,
        "preflight": dump(found),
    }
    return Step(before=plain(head), after=told, etag=after.etag)


def _etag(read: Read, key: str) -> str:
    head = policies.head(read, key)
    return head.etag if head else ""


ACTIONS = (
    Action(
        kind="rollout.start",
        object_kind="policy",
        scope=Scope.POLICY_APPLY,
        payload=GatedPlan,
        level=always("D2"),
        perform=_start,
        etag=_etag,
    ),
)
