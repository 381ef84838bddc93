"""Audits: fairness and drift runs, each immutable."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import FileResponse

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.context import ControlContext
from governance.api.downloads import archive, source_of
from governance.api.gate import Routes
from governance.evidence import audit_bundle
from governance.experiments import veil
from storage import findings
from storage.errors import Forbidden, NotFound
from storage.records.access import Scope
from storage.records.findings import Audit

HIDDEN = "it holds results that are hidden until enough was seen; one experiment is revealed with a reason"


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    def kept(audit_id: str) -> Audit:
        with context.database.read() as read:
            audit: Audit = found(findings.audit(read, audit_id), "audit")
        return audit

    @on.on("GET", "/audits", Scope.READ)
    def listed(
        kind: Literal["fairness", "drift", "rules", "experiments", "insights"] | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """List audits with their verdicts in words."""
        with context.database.read() as read:
            audits = findings.audits(read, kind, limit=limit)
        shown = ("audit_id", "kind", "at", "verdict", "sentence")
        return reply({"audits": [{name: getattr(audit, name) for name in shown} for audit in audits]})

    @on.on("GET", "/audits/{audit_id}", Scope.FAIRNESS_READ, answer=Audit)
    def show(audit_id: str) -> Response:
        """Show one audit with all figures; of an experiment whose results are hidden, its health alone."""
        return reply(veil.shown(kept(audit_id)))

    @on.on("GET", "/audits/{audit_id}/artifacts/{name}", Scope.FAIRNESS_READ)
    def artifact(audit_id: str, name: str) -> Response:
        """Download a file that an audit left; never shown inline. One that holds hidden results is withheld."""
        audit = kept(audit_id)
        if name in audit.artifacts and name not in veil.shown(audit).artifacts:
            raise Forbidden(HIDDEN)
        home = context.home.resolve()
        path = (home / found(audit.artifacts.get(name), "artifact")).resolve()
        if not path.is_relative_to(home / "audits") or not path.is_file():
            raise NotFound("no such artifact")
        headers = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
        return FileResponse(path, filename=path.name, content_disposition_type="attachment", headers=headers)

    @on.on("GET", "/audits/{audit_id}/evidence", Scope.FAIRNESS_READ, enters=True)
    def evidence(request: Request, audit_id: str) -> Response:
        """Download an audit with its files as a bundle that the public key alone checks; hidden results stay hidden."""
        audit = veil.shown(kept(audit_id))
        order = warrant(request, "the evidence of an audit was exported")
        context.control.viewed("audits", order, key=audit_id, verb="export")
        source = source_of(context, request)
        with context.database.read() as read:
            return archive(f"{audit.kind}.zip", lambda path: audit_bundle(read, source, path, audit, context.home))

    return on.router
