"""Drift: what is normal on a surface, what its windows showed, and which drift was accepted."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.api.answers import reply, warrant
from governance.api.context import ControlContext
from governance.api.drift_bodies import AcceptDrift, NewDriftReference, WithdrawDrift
from governance.api.gate import Routes
from governance.outcomes import Outcome
from storage import drift
from storage.records.access import Scope
from storage.records.document import dump


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/audits/drift/references", Scope.READ)
    def references(surface: str | None = None) -> Response:
        """List references, the newest of each surface first."""
        with context.database.read() as read:
            return reply({"references": drift.references(read, surface)})

    @on.on("POST", "/audits/drift/references", Scope.JOB_RUN, status=201, answer=Outcome)
    def refer(request: Request, body: NewDriftReference) -> Response:
        """Say what is normal on a surface from now on; a job counts it."""
        payload = dump(body.reference)
        return reply(control.do("drift.reference", body.surface, payload, warrant(request, body.reason)), status=201)

    @on.on("GET", "/audits/drift/looks", Scope.READ)
    def looks(surface: str, origin: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 30) -> Response:
        """List what the windows of a surface showed, the newest first."""
        with context.database.read() as read:
            return reply({"looks": drift.looks(read, surface, origin=origin, limit=limit)})

    @on.on("GET", "/audits/drift/accepted", Scope.READ)
    def accepted(surface: str) -> Response:
        """List accepted drift, and what of it holds."""
        with context.database.read() as read:
            reference, known = drift.reference(read, surface), drift.accepted(read, surface)
        holds = drift.in_force(known, reference=reference.version if reference else None, now=control.now())
        return reply({"accepted": [{**dump(each), "in_force": name in holds} for name, each in sorted(known.items())]})

    @on.on("POST", "/audits/drift/accept", Scope.JOB_RUN, answer=Outcome)
    def accept(request: Request, body: AcceptDrift) -> Response:
        """Accept the drift of a feature until a moment, or until the reference changes."""
        payload = {"feature": body.feature, "until": body.until}
        return reply(control.do("drift.accept", body.surface, payload, warrant(request, body.reason)))

    @on.on("POST", "/audits/drift/withdraw", Scope.JOB_RUN, answer=Outcome)
    def withdraw(request: Request, body: WithdrawDrift) -> Response:
        """Accept it no longer."""
        payload = {"feature": body.feature}
        return reply(control.do("drift.withdraw", body.surface, payload, warrant(request, body.reason)))

    return on.router
