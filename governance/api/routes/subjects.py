"""People's requests about their own data: until when each must be answered, how far it has come, and the proof."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import SubjectQuery, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.request_views import request_view
from governance.api.subject_bodies import NewRequest
from governance.erasure import action_for
from governance.warrants import Warrant
from storage import changes, subject_requests
from storage.records.access import Scope
from storage.records.changes import Change
from storage.records.requests import RequestKind, RequestState, SubjectRequest


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    def proposed(request_id: str) -> Change | None:
        with context.database.read() as read:
            return next(iter(changes.listed(read, object_key=request_id, limit=1)), None)

    def view(request: SubjectRequest, change: Change | None = None) -> Mapping[str, Any]:
        return request_view(request, now=control.now(), change=change, solo=context.solo)

    @on.on("POST", "/subjects/look-up", Scope.CONSENT_READ)
    def look_up(request: Request, body: SubjectQuery) -> Response:
        """Look a person up: what they said, stated and asked for, never what they did; it stands in the ledger."""
        found = control.subjects.summary(body.subject, warrant(request, body.reason))
        return reply({**found, "requests": [view(one) for one in found["requests"]]})

    @on.on("GET", "/subjects/requests", Scope.CONSENT_READ)
    def listed(state: RequestState | None = None, kind: RequestKind | None = None) -> Response:
        """List requests: the open ones first by their deadline, then the newest; nobody is named."""
        with context.database.read() as read:
            found = subject_requests.listed(read, states=(state,) if state else (), kind=kind)
        return reply({"requests": [view(one) for one in found]})

    @on.on("POST", "/subjects/requests", Scope.CONSENT_WRITE, status=201)
    def ask(request: Request, body: NewRequest) -> Response:
        """Register a request, and submit the change that carries it out: two others approve, 15 minutes pass. A review
        takes no change: somebody answers it."""
        order = warrant(request, body.reason)
        if body.kind == "review":
            return reply(view(control.reviews.ask(body.subject, "", "", order)), status=201)
        made = control.subjects.register(body.subject, body.kind, order, received_at=body.received_at)
        if made.state != "open":
            return reply(view(made), status=201)
        change = control.propose(action_for(made), made.request_id, {}, order)
        return reply(view(made, control.submit(change.change_id, order)), status=201)

    @on.on("GET", "/subjects/requests/{request_id}", Scope.CONSENT_READ)
    def show(request_id: str) -> Response:
        """Show a request, how far it has come, and its change."""
        with context.database.read() as read:
            found = subject_requests.find(read, request_id)
        return reply(view(found, proposed(request_id)))

    def move(verb: str, act: Callable[[str, Warrant], SubjectRequest]) -> None:
        @on.on("POST", f"/subjects/requests/{{request_id}}/{verb}", Scope.CONSENT_WRITE)
        def moved(request: Request, request_id: str, body: Why) -> Response:
            return reply(view(act(request_id, warrant(request, body.reason))))

    move("extend", control.subjects.extend)
    move("refuse", control.subjects.refuse)
    move("answer", control.reviews.answer)

    return on.router
