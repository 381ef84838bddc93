"""Gated rollouts: announced, begun, watched, paused, let go, taken back, and each look judged again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from governance.actions import Ground, found
from governance.api.answers import caller, reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.rollout_bodies import NewRollout, RolloutDraft
from governance.outcomes import Outcome
from governance.rollouts.guard import Verb
from governance.rollouts.preflight import preflight
from governance.rollouts.ramp import again
from governance.rollouts.start import drafted
from storage import rollouts
from storage.database import Read
from storage.records.access import Principal, Scope
from storage.records.document import canonical, digest, dump
from storage.records.rollouts import GatedRollout, Look, RolloutState

Limit = Annotated[int, Query(ge=1, le=500)]
Seq = Annotated[int, Path(ge=1, le=2**31 - 1)]
VERBS: tuple[tuple[str, Verb, Scope], ...] = (
    ("pause", "pause", Scope.POLICY_APPLY),
    ("resume", "resume", Scope.POLICY_APPLY),
    ("let-go", "let_go", Scope.POLICY_APPROVE),
    ("roll-back", "roll_back", Scope.POLICY_APPLY),
)


def _seen(look: Look, by: Principal) -> Look:
    """Return a look as its reader may see it: figures by group are for those who may read of fairness."""
    if by.may(Scope.FAIRNESS_READ):
        return look
    steps = tuple(replace(step, groups={}) for step in look.evidence.steps)
    findings = tuple(
        replace(each, figures=(), sentence=_PLAIN[each.verdict]) if each.gate == "fairness" else each
        for each in look.findings
    )
    reason = "fairness: see who may read of it" if look.reason.startswith("fairness: ") else look.reason
    return replace(look, evidence=replace(look.evidence, steps=steps), findings=findings, reason=reason)


_PLAIN = {
    "pass": "No group is shown to be harmed.",
    "warn": "Some groups are too small to judge, or a little worse.",
    "fail": "A group is harmed.",
    "unknown": "Harm to a group is not excluded yet.",
}


def _view(read: Read, rollout: GatedRollout, by: Principal) -> Mapping[str, Any]:
    last = next(iter(rollouts.looks(read, rollout.rollout_id, limit=1)), None)
    named = rollout.note.startswith("fairness: ") and not by.may(Scope.FAIRNESS_READ)
    shown = replace(rollout, note="fairness: see who may read of it") if named else rollout
    return {
        **dump(shown),
        "percent": rollout.percent,
        "ahead": rollout.ahead,
        "etag": rollouts.etag(rollout),
        "latest": _seen(last, by) if last else None,
    }


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/rollouts", Scope.READ)
    def listed(
        request: Request, *, policy: str | None = None, state: RolloutState | None = None, limit: Limit = 50
    ) -> Response:
        """List gated rollouts, the newest first, each with its latest look."""
        with context.database.read() as read:
            rows = rollouts.listed(read, policy=policy, states=(state,) if state else (), limit=limit)
            return reply({"rollouts": [_view(read, rollout, caller(request)) for rollout in rows]})

    @on.on("POST", "/rollouts", Scope.POLICY_APPLY, status=201, answer=Outcome)
    def start(request: Request, body: NewRollout) -> Response:
        """Begin a rollout at once; where a second person must agree it is refused with FL-1407: propose the change."""
        given = warrant(request, body.reason, body.confirm)
        outcome = control.do("rollout.start", body.policy, dump(body.plan), given)
        return reply(outcome, status=201, etag=outcome.etag)

    @on.on("POST", "/rollouts/preview", Scope.POLICY_PROPOSE)
    def preview(request: Request, body: RolloutDraft) -> Response:
        """Say what a plan would take, and what is known of the version, without beginning anything."""
        with context.database.read() as read:
            ground = Ground(at=control.now(), author=caller(request).name, reason="")
            drawn = drafted(read, body.policy, body.plan, ground)
            known = preflight(read, body.policy, body.plan.version)
        return reply(
            {
                "announced": drawn.announced,
                "decisions": sum(drawn.announced),
                "base_rate": drawn.base_rate,
                "rate_from": drawn.rate_from,
                "preflight": dump(known),
            }
        )

    @on.on("GET", "/rollouts/{rollout_id}", Scope.READ)
    def show(request: Request, rollout_id: str) -> Response:
        """Show one rollout with its latest look."""
        with context.database.read() as read:
            rollout: GatedRollout = found(rollouts.find(read, rollout_id), "rollout")
            return reply(_view(read, rollout, caller(request)), etag=rollouts.etag(rollout))

    @on.on("GET", "/rollouts/{rollout_id}/looks", Scope.READ)
    def looks(request: Request, rollout_id: str, *, before: int | None = None, limit: Limit = 50) -> Response:
        """List what was said at each look that was kept, the newest first."""
        with context.database.read() as read:
            found(rollouts.find(read, rollout_id), "rollout")
            rows = rollouts.looks(read, rollout_id, before=before, limit=limit)
        return reply({"looks": [_seen(look, caller(request)) for look in rows]})

    @on.on("GET", "/rollouts/{rollout_id}/looks/{seq}/replay", Scope.READ)
    def replay(rollout_id: str, seq: Seq) -> Response:
        """Judge a kept look once more, from its inputs and the plan alone."""
        with context.database.read() as read:
            rollout: GatedRollout = found(rollouts.find(read, rollout_id), "rollout")
            kept: Look = found(rollouts.look(read, rollout_id, seq), "look")
        anew = again(rollout, kept)
        same = canonical(anew) == canonical(kept)
        return reply({"verdict": "exact" if same else "mismatch", "kept": digest(kept), "anew": digest(anew)})

    def move(path: str, verb: Verb, scope: Scope) -> None:
        @on.on("POST", f"/rollouts/{{rollout_id}}/{path}", scope)
        def moved(request: Request, rollout_id: str, body: Why) -> Response:
            given = warrant(request, body.reason, body.confirm)
            after = control.rollouts.command(rollout_id, verb, given)
            with context.database.read() as read:
                return reply(_view(read, after, caller(request)), etag=rollouts.etag(after))

    for path, verb, scope in VERBS:
        move(path, verb, scope)
    return on.router
