"""Change requests: what needs a second person, and how far it has come."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import change_view, reply, warrant
from governance.api.bodies import Apply, EditChange, NewChange, When, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.differences import Differences, differences
from governance.outcomes import Outcome
from governance.warrants import Warrant
from storage import changes
from storage.records.access import Scope
from storage.records.changes import Change, ChangeState
from storage.records.clock import instant

Limit = Annotated[int, Query(ge=1, le=500)]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/changes", Scope.READ)
    def listed(state: ChangeState | None = None, object_key: str | None = None, limit: Limit = 200) -> Response:
        """List changes, the latest touched first."""
        with context.database.read() as read:
            rows = changes.listed(read, states=(state,) if state else (), object_key=object_key, limit=limit)
        return reply({"changes": [change_view(change, solo=context.solo) for change in rows]})

    @on.on("POST", "/changes", Scope.POLICY_PROPOSE, status=201)
    def propose(request: Request, body: NewChange) -> Response:
        """Write a draft of a change."""
        change = control.propose(body.kind, body.key, body.payload, warrant(request, body.reason))
        return reply(change_view(change, solo=context.solo), status=201)

    @on.on("GET", "/changes/{change_id}", Scope.READ)
    def show(change_id: str) -> Response:
        """Show one change."""
        with context.database.read() as read:
            change: Change = found(changes.find(read, change_id), "change")
        return reply(change_view(change, solo=context.solo))

    @on.on("GET", "/changes/{change_id}/diff", Scope.READ, answer=Differences)
    def compare(change_id: str) -> Response:
        """Say what a change would do, and what changed under it meanwhile."""
        with context.database.read() as read:
            return reply(differences(read, found(changes.find(read, change_id), "change")))

    @on.on("PUT", "/changes/{change_id}", Scope.POLICY_PROPOSE)
    def edit(request: Request, change_id: str, body: EditChange) -> Response:
        """Replace what a change does; its approvals are gone."""
        change = control.edit(change_id, body.payload, warrant(request, body.reason))
        return reply(change_view(change, solo=context.solo))

    def step(verb: str, scope: Scope, act: Callable[[str, Warrant], Change]) -> None:
        @on.on("POST", f"/changes/{{change_id}}/{verb}", scope)
        def stepped(request: Request, change_id: str, body: Why) -> Response:
            change = act(change_id, warrant(request, body.reason, body.confirm))
            return reply(change_view(change, solo=context.solo))

    step("submit", Scope.POLICY_PROPOSE, control.submit)
    step("approve", Scope.POLICY_APPROVE, control.approve)
    step("reject", Scope.POLICY_APPROVE, control.reject)
    step("withdraw", Scope.POLICY_PROPOSE, control.withdraw)

    @on.on("POST", "/changes/{change_id}/schedule", Scope.POLICY_APPLY)
    def schedule(request: Request, change_id: str, body: When) -> Response:
        """Let an approved change be applied by itself at a time; until then it can be withdrawn or rejected."""
        order = warrant(request, body.reason, body.confirm)
        at = body.at if isinstance(body.at, int) else instant(body.at)
        change = control.timetable.schedule(change_id, at, order)
        return reply(change_view(change, solo=context.solo))

    @on.on("POST", "/changes/{change_id}/apply", Scope.POLICY_APPLY, answer=Outcome)
    def apply(request: Request, change_id: str, body: Apply) -> Response:
        """Do what was approved; of a rollout plan, the next step."""
        outcome = control.apply(change_id, warrant(request, body.reason, body.confirm), percent=body.percent)
        return reply(outcome, etag=outcome.etag)

    return on.router
