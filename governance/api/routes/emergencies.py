"""Emergencies: declared by one person, looked at by another."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import emergencies
from storage.records.access import Scope
from storage.records.changes import Emergency


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/emergencies", Scope.READ)
    def listed() -> Response:
        """List emergencies; those that nobody has looked at wait for somebody else."""
        with context.database.read() as read:
            found = emergencies.listed(read)
        waiting = [one.emergency_id for one in found if one.reviewed_at is None]
        return reply({"emergencies": found, "waiting_for_review": waiting, "now": control.now()})

    @on.on("POST", "/emergencies", Scope.EMERGENCY_OPEN, status=201, answer=Emergency)
    def declare(request: Request, body: Why) -> Response:
        """Apply without approvals for half an hour; ``confirm`` is the environment's name."""
        return reply(control.emergencies.declare(warrant(request, body.reason, body.confirm)), status=201)

    @on.on("POST", "/emergencies/{emergency_id}/review", Scope.POLICY_APPROVE, answer=Emergency)
    def review(request: Request, emergency_id: str, body: Why) -> Response:
        """Close an emergency of somebody else with what was found."""
        return reply(control.emergencies.review(emergency_id, warrant(request, body.reason)))

    return on.router
