"""Fairness: the plans of its audits, and the sensitive attributes that audits alone may read."""

from fastapi import APIRouter, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import NewFairnessPlan, NewSensitive, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from governance.sensitive import Told
from storage import fairness_plans, sensitive
from storage.fairness_plans import StoredPlan
from storage.records.access import Scope
from storage.records.document import dump


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/fairness/plans", Scope.READ)
    def listed() -> Response:
        """List the audits that run by the clock."""
        with context.database.read() as read:
            return reply({"plans": fairness_plans.listed(read)})

    @on.on("POST", "/fairness/plans", Scope.JOB_RUN, status=201, answer=Outcome)
    def create(request: Request, body: NewFairnessPlan) -> Response:
        """Create a plan; its first audit runs within a minute."""
        order = warrant(request, body.reason, body.confirm)
        made = control.do("fairness_plan.create", body.plan.key, {"plan": dump(body.plan)}, order)
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/fairness/plans/{key}", Scope.READ, answer=StoredPlan)
    def show(key: str) -> Response:
        """Show one plan, with what its last edit replaced."""
        with context.database.read() as read:
            stored: StoredPlan = found(fairness_plans.find(read, key), "fairness plan")
        return reply(stored, etag=stored.etag)

    @on.on("PUT", "/fairness/plans/{key}", Scope.JOB_RUN, answer=Outcome)
    def edit(request: Request, key: str, body: NewFairnessPlan) -> Response:
        """Replace a plan; If-Match names what was read. How it judges is a second person's matter too."""
        order = warrant(request, body.reason, body.confirm)
        outcome = control.do("fairness_plan.edit", key, {"plan": dump(body.plan)}, order)
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/fairness/plans/{key}", Scope.JOB_RUN, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete a plan; its audits stay. If-Match names what was read."""
        return reply(control.do("fairness_plan.delete", key, {}, warrant(request, body.reason, body.confirm)))

    @on.on("GET", "/fairness/attributes", Scope.FAIRNESS_READ)
    def attributes() -> Response:
        """Tell which sensitive attributes are kept, of how many people."""
        with context.database.read() as read:
            return reply({"attributes": sensitive.coverage(read)})

    @on.on("POST", "/fairness/attributes", Scope.FAIRNESS_WRITE, answer=Told)
    def put(request: Request, body: NewSensitive) -> Response:
        """Keep what people say of themselves; no decision, profile or feature reads it."""
        rows = [(row.subject, row.attribute, row.value) for row in body.rows]
        return reply(control.sensitive.put(rows, warrant(request, body.reason), source=body.source))

    @on.on("DELETE", "/fairness/attributes/{name}", Scope.FAIRNESS_WRITE, answer=Told)
    def drop(request: Request, name: str, body: Why) -> Response:
        """Delete an attribute of everyone."""
        return reply(control.sensitive.drop(name, warrant(request, body.reason)))

    return on.router
