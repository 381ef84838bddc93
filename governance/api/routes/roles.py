"""Roles: the built-in ones, and those that the installation makes for itself."""

from fastapi import APIRouter, Request, Response

from governance.actions import found
from governance.api.access_bodies import NewRole
from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from governance.roles import holders
from storage import roles
from storage.records.access import ROLES, Scope
from storage.records.document import dump
from storage.roles import StoredRole


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/roles", Scope.ADMIN)
    def listed() -> Response:
        """List what each role may, and who holds tokens of it."""
        with context.database.read() as read:
            now = control.now()
            built = [
                {"role": {"key": key, "title": "", "like": key, "scopes": sorted(scopes)}, "built_in": True}
                for key, scopes in ROLES.items()
            ]
            own = [
                {"role": stored.role, "built_in": False, "etag": stored.etag, "updated_at": stored.updated_at}
                for stored in roles.listed(read)
            ]
            keys = [*ROLES, *(stored.role.key for stored in roles.listed(read))]
            held = {key: holders(read, key, now) for key in keys}
        views = [view | {"holders": held[key]} for key, view in zip(keys, [*built, *own], strict=True)]
        return reply({"roles": views, "scopes": sorted(Scope)})

    @on.on("POST", "/roles", Scope.ADMIN, status=201, answer=Outcome)
    def create(request: Request, body: NewRole) -> Response:
        """Create a role; one that may more than the role it resembles needs a second admin."""
        payload = {"role": dump(body.role)}
        made = control.do("role.create", body.role.key, payload, warrant(request, body.reason, body.confirm))
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/roles/{key}", Scope.ADMIN, answer=StoredRole)
    def show(key: str) -> Response:
        """Show one of the installation's own roles."""
        with context.database.read() as read:
            stored: StoredRole = found(roles.find(read, key), "role of the installation's own")
        return reply(stored, etag=stored.etag)

    @on.on("PUT", "/roles/{key}", Scope.ADMIN, answer=Outcome)
    def edit(request: Request, key: str, body: NewRole) -> Response:
        """Replace a role; what is taken away ends for its holders within a second. If-Match names what was read."""
        payload = {"role": dump(body.role)}
        outcome = control.do("role.edit", key, payload, warrant(request, body.reason, body.confirm))
        request.app.state.gate.forget()
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/roles/{key}", Scope.ADMIN, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete a role that nobody holds; If-Match names what was read."""
        return reply(control.do("role.delete", key, {}, warrant(request, body.reason, body.confirm)))

    return on.router
