"""What a person may see and say of themselves, by a link that an application hands them once it knows who they are.

No route names a person: the link does, so there is nobody else to ask about.
"""

from fastapi import APIRouter, Request, Response

from governance.api.answers import caller, reply, warrant
from governance.api.bodies import SubjectQuery
from governance.api.context import ControlContext
from governance.api.gate import Routes, request_id
from governance.api.own_bodies import OwnWord
from governance.outcomes import Recorded
from governance.own.person import SOURCE, acting
from governance.warrants import Warrant, require_reason
from storage import links
from storage.errors import NotFound
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    def own(request: Request) -> tuple[str, Warrant]:
        """Return whose link this is, and the warrant to act for them and nobody else."""
        by = caller(request)
        if not by.subject:
            raise NotFound("this token is no link of a person")
        return by.subject, acting(by, request_id(request))

    @on.on("POST", "/own/links", Scope.OWN_ISSUE, status=201)
    def issue(request: Request, body: SubjectQuery) -> Response:
        """Make a link for a person whom the caller has recognized: it holds 15 minutes, and opens their page once."""
        order = warrant(request, body.reason)
        require_reason(order)
        token, until = links.issue(context.keys, body.subject, control.now())
        control.viewed("own", order, key=links.mark_of(token), asked={"until": until}, verb="link")
        return reply({"token": token, "path": f"/me/open/{token}", "expires_at": until}, status=201)

    @on.on("GET", "/own", Scope.OWN)
    def show(request: Request) -> Response:
        """Show what the person said, and when."""
        subject, order = own(request)
        return reply({"consents": control.consent_history(subject, order)})

    @on.on("POST", "/own/opt-out", Scope.OWN, answer=Recorded)
    def opt_out(request: Request, body: OwnWord) -> Response:
        """Withdraw the person's consent; answers when every replica decides without it, or after 2.5 s."""
        subject, order = own(request)
        return reply(control.consents.record(subject, body.purpose, "denied", order, source=SOURCE))

    @on.on("POST", "/own/opt-in", Scope.OWN, answer=Recorded)
    def opt_in(request: Request, body: OwnWord) -> Response:
        """Record the person's consent; as many steps as to withdraw it."""
        subject, order = own(request)
        recorded = control.consents.record(
            subject, body.purpose, "granted", order, source=SOURCE, text_version=body.text_version
        )
        return reply(recorded)

    return on.router
