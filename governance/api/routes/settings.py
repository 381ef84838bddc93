"""The installation's settings, and the revisions that carry everything."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import NewSettings
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.installation import INSTALLATION, installation, installation_etag
from governance.outcomes import Outcome
from storage import revisions
from storage.records.access import Scope
from storage.records.document import dump


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/settings", Scope.READ)
    def show() -> Response:
        """Show the settings."""
        with context.database.read() as read:
            etag = installation_etag(read)
            return reply({"installation": installation(read), "etag": etag}, etag=etag)

    @on.on("PUT", "/settings", Scope.ADMIN, answer=Outcome)
    def edit(request: Request, body: NewSettings) -> Response:
        """Replace the settings; If-Match names what was read."""
        order = warrant(request, body.reason, body.confirm)
        payload = {"installation": dump(body.installation)}
        outcome = context.control.do("settings.edit", INSTALLATION, payload, order)
        return reply(outcome, etag=outcome.etag)

    @on.on("GET", "/revisions/current", Scope.READ)
    def current() -> Response:
        """Show the newest revision."""
        with context.database.read() as read:
            return reply(found(revisions.load(read), "revision"))

    @on.on("GET", "/revisions/{number}", Scope.READ)
    def revision(number: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
        """Show one revision as it was."""
        with context.database.read() as read:
            return reply(found(revisions.load(read, number), "revision"))

    return on.router
