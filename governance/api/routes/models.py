"""Models: what was trained, and what is in service."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import Promotion, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from storage import registry
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/models", Scope.READ)
    def listed() -> Response:
        """List all model versions, the version of each name that is in service, and how each version stands."""
        with context.database.read() as read:
            known = registry.standings(read)
        return reply(
            {
                "models": [one.model for one in known],
                "in_service": {one.model.name: one.model.version for one in known if one.in_service},
                "standings": [
                    {
                        "name": one.model.name,
                        "version": one.model.version,
                        "in_service": one.in_service,
                        "served_at": one.served_at,
                        "withdrawn_at": one.withdrawn_at,
                        "verdict": one.verdict,
                    }
                    for one in known
                ],
            }
        )

    @on.on("POST", "/models/{name}/promote", Scope.POLICY_APPLY, answer=Outcome)
    def promote(request: Request, name: str, body: Promotion) -> Response:
        """Put a version in service; replacing another needs a second person (FL-1407)."""
        order = warrant(request, body.reason, body.confirm)
        return reply(context.control.do("model.promote", name, {"version": body.version}, order))

    @on.on("POST", "/models/{name}/rollback", Scope.POLICY_APPLY, answer=Outcome)
    def roll_back(request: Request, name: str, body: Why) -> Response:
        """Put the version before back in service; one step, always."""
        return reply(context.control.do("model.rollback", name, {}, warrant(request, body.reason, body.confirm)))

    return on.router
