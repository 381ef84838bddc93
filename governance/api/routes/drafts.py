"""Half-filled forms: everyone's own. They are no control state: nothing follows from them until they are sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from governance.api.access_bodies import NewDraft
from governance.api.answers import caller, reply
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import drafts
from storage.drafts import Draft
from storage.records.access import Scope

Form = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,128}$")]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/drafts", Scope.READ)
    def listed(request: Request) -> Response:
        """List the caller's half-filled forms, newest first."""
        with context.database.read() as read:
            return reply({"drafts": drafts.listed(read, caller(request).name)})

    @on.on("GET", "/drafts/{form}", Scope.READ)
    def show(request: Request, form: Form) -> Response:
        """Show what the caller has filled into a form, null for nothing."""
        with context.database.read() as read:
            return reply({"draft": drafts.find(read, caller(request).name, form)})

    @on.on("PUT", "/drafts/{form}", Scope.READ, answer=Draft)
    def save(request: Request, form: Form, body: NewDraft) -> Response:
        """Keep what the caller has filled into a form so far."""
        with context.database.write() as write:
            return reply(drafts.save(write, caller(request).name, form, body.values, now=context.control.now()))

    @on.on("DELETE", "/drafts/{form}", Scope.READ)
    def remove(request: Request, form: Form) -> Response:
        """Forget a half-filled form."""
        with context.database.write() as write:
            drafts.remove(write, caller(request).name, form)
        return reply({"removed": True})

    return on.router
