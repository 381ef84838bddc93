"""What-ifs and off-policy estimates: tried here, done as jobs, kept as audits."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import Rehearse
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.scenario import resolved
from governance.whatif_arguments import WhatIfArguments
from storage import findings
from storage.errors import NotFound
from storage.records import clock
from storage.records.access import Scope
from storage.records.document import dump, parse
from storage.records.findings import Audit, Job

Kind = Literal["whatif", "offpolicy"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    for kind in KINDS:
        _about(on, context, kind)
    return on.router


def _about(on: Routes, context: ControlContext, kind: Kind) -> None:
    @on.on("GET", f"/{kind}", Scope.READ)
    def listed(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
        """List what was tried, newest first."""
        with context.database.read() as read:
            tried = findings.audits(read, kind, limit=limit)
        return reply({"runs": [_summary(each) for each in tried]})

    @on.on("POST", f"/{kind}", Scope.POLICY_PROPOSE, status=202, answer=Job)
    def ask(request: Request, body: Rehearse) -> Response:
        """Queue one; a mistake in the scenario is told at once."""
        arguments = dict(body.arguments)
        if not {"log", "target"} & arguments.keys():
            resolved(context.database, parse(WhatIfArguments, arguments), now=clock.now())
        job = context.control.request_job(kind, arguments, warrant(request, body.reason), scope=Scope.POLICY_PROPOSE)
        return reply(job, status=202)

    @on.on("GET", f"/{kind}/{{run_id}}", Scope.READ, answer=Audit)
    def show(run_id: str) -> Response:
        """Show one with all figures; sensitive attributes are never part of it."""
        with context.database.read() as read:
            audit: Audit = found(findings.audit(read, run_id), "run")
        if audit.kind != kind:
            raise NotFound("no such run")
        return reply(dump(audit))


def _summary(audit: Audit) -> Mapping[str, Any]:
    shown = ("audit_id", "kind", "at", "verdict", "sentence")
    return {name: getattr(audit, name) for name in shown} | {"scenario": audit.result.get("scenario", {})}
