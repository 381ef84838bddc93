"""Models: what was trained, and what is in service."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import Promotion
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
        """List all model versions, and the version of each name that is in service."""
        with context.database.read() as read:
            serving = {name: model.version for name, model in registry.in_service(read).items()}
            return reply({"models": registry.models(read), "in_service": serving})

    @on.on("POST", "/models/{name}/promote", Scope.POLICY_APPLY, answer=Outcome)
    def promote(request: Request, name: str, body: Promotion) -> Response:
        """Put a version in service; replacing another needs a second person (FL-1407)."""
        order = warrant(request, body.reason, body.confirm)
        return reply(context.control.do("model.promote", name, {"version": body.version}, order))

    return on.router
