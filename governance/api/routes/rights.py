"""What people may ask for that takes nobody's approval: objection, restriction, rectification."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import SubjectQuery
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.request_views import answered_view
from governance.api.subject_bodies import Objection, Rectification
from governance.rights import Answered
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    def told(done: Answered) -> Response:
        return reply(answered_view(done, now=control.now()))

    @on.on("POST", "/subjects/objection", Scope.CONSENT_WRITE)
    def objection(request: Request, body: Objection) -> Response:
        """Use a person's data for some purposes no more; answers when every replica knows, or after 2.5 s."""
        return told(control.rights.object_to(body.subject, body.purposes, warrant(request, body.reason)))

    @on.on("POST", "/subjects/restriction", Scope.CONSENT_WRITE)
    def restriction(request: Request, body: SubjectQuery) -> Response:
        """Keep everything of a person and use nothing."""
        return told(control.rights.restrict(body.subject, warrant(request, body.reason)))

    @on.on("POST", "/subjects/restriction/lift", Scope.CONSENT_WRITE)
    def lift(request: Request, body: SubjectQuery) -> Response:
        """End a restriction; what had been granted holds again."""
        return told(control.rights.lift(body.subject, warrant(request, body.reason)))

    @on.on("POST", "/subjects/rectification", Scope.CONSENT_WRITE)
    def rectification(request: Request, body: Rectification) -> Response:
        """Correct what is stated of a person."""
        order = warrant(request, body.reason)
        return told(control.rights.rectify(body.subject, body.attributes, body.interests, order))

    return on.router
