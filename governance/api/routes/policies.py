"""Policies, their versions and rollouts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from governance.actions import found
from governance.api.answers import policy_view, reply, warrant
from governance.api.bodies import Draft, NewPolicy, NewVersion, Number, RolloutStep, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.diff import diff
from governance.installation import installation
from governance.outcomes import Outcome
from governance.validity import policy_problems
from storage import policies
from storage.errors import Invalid
from storage.policies import PolicyHead, PolicyVersion
from storage.records.access import Scope
from storage.records.document import parse
from storage.records.policies import Policy

VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/policies", Scope.READ)
    def listed() -> Response:
        """List all policies with their versions."""
        with context.database.read() as read:
            heads = policies.heads(read)
            return reply({"policies": [policy_view(head, policies.versions(read, head.key)) for head in heads]})

    @on.on("POST", "/policies", Scope.POLICY_PROPOSE, status=201, answer=Outcome)
    def create(request: Request, body: NewPolicy) -> Response:
        """Create a policy for a surface."""
        made = control.do("policy.create", body.key, {"surface": body.surface}, warrant(request, body.reason))
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/policies/{key}", Scope.READ)
    def show(key: str) -> Response:
        """Show one policy with its versions."""
        with context.database.read() as read:
            head: PolicyHead = found(policies.head(read, key), "policy")
            return reply(policy_view(head, policies.versions(read, key)), etag=head.etag)

    @on.on("GET", "/policies/{key}/versions/{version}", Scope.READ, answer=PolicyVersion)
    def show_version(key: str, version: VersionNumber) -> Response:
        """Show one version's document."""
        with context.database.read() as read:
            return reply(found(policies.version(read, key, version), "policy version"))

    @on.on("POST", "/policies/{key}/versions", Scope.POLICY_PROPOSE, status=201, answer=Outcome)
    def draft(request: Request, key: str, body: NewVersion) -> Response:
        """Add a version, as a draft."""
        payload = {"document": body.document, "note": body.note}
        return reply(control.do("policy.draft", key, payload, warrant(request, body.reason)), status=201)

    @on.on("POST", "/policies/{key}/validate", Scope.POLICY_PROPOSE)
    def validate(key: str, body: Draft) -> Response:
        """Check a document without writing it."""
        with context.database.read() as read:
            found(policies.head(read, key), "policy")
            settings = installation(read)
        try:
            problems = policy_problems(parse(Policy, body.document), settings)
        except Invalid as error:
            problems = error.problems
        return reply({"problems": problems})

    @on.on("GET", "/policies/{key}/diff", Scope.READ)
    def compare(
        key: str, *, old: Annotated[Number, Query(alias="from")], new: Annotated[Number, Query(alias="to")]
    ) -> Response:
        """Compare two versions, field by field and in words."""
        with context.database.read() as read:
            before = found(policies.version(read, key, old), "policy version")
            after = found(policies.version(read, key, new), "policy version")
        return reply({"fields": diff(before.document, after.document)})

    @on.on("POST", "/policies/{key}/rollout", Scope.POLICY_APPLY, answer=Outcome)
    def rollout(request: Request, key: str, body: RolloutStep) -> Response:
        """Roll a version out to a share of people; what needs a second person is refused with FL-1407."""
        payload = {"version": body.version, "percent": body.percent, "segment": body.segment}
        outcome = control.do("policy.rollout", key, payload, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    @on.on("POST", "/policies/{key}/rollback", Scope.POLICY_APPLY, answer=Outcome)
    def rollback(request: Request, key: str, body: Why) -> Response:
        """Go back: take the rollout back, or return to the version before. Never blocked."""
        outcome = control.do("policy.rollback", key, {}, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    return on.router
