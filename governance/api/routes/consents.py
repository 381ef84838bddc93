"""Consent: who may be personalized, told by raw id, kept by pseudonym."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import caller, reply, warrant
from governance.api.bodies import ConsentOrder, SubjectQuery
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Acknowledged
from storage import consent
from storage.records.access import Scope
from storage.records.consent import ConsentChange

SHOWN_FROM = 50
"""Smaller groups are shown to those who may read consent by person only."""


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/consents/summary", Scope.READ)
    def summary(request: Request) -> Response:
        """Count what people said last, by purpose; counts below 50 are null for who may not look people up."""
        with context.database.read() as read:
            epoch, counts = consent.epoch(read), consent.summary(read)
        every = caller(request).may(Scope.CONSENT_READ)
        purposes = {
            purpose: {state: count if every or count >= SHOWN_FROM else None for state, count in states.items()}
            for purpose, states in counts.items()
        }
        return reply({"epoch": epoch, "purposes": purposes})

    @on.on("POST", "/consents/opt-out", Scope.CONSENT_WRITE, answer=Acknowledged)
    def opt_out(request: Request, body: ConsentOrder) -> Response:
        """Withdraw consent; answers when every replica decides without it, or after 2.5 s."""
        order = warrant(request, body.reason)
        return reply(control.opt_out(body.subject, body.purpose, order, source=body.source))

    @on.on("POST", "/consents/opt-in", Scope.CONSENT_WRITE, answer=Acknowledged)
    def opt_in(request: Request, body: ConsentOrder) -> Response:
        """Record consent; answers likewise."""
        order = warrant(request, body.reason)
        return reply(control.opt_in(body.subject, body.purpose, order, source=body.source))

    @on.on("POST", "/consents/history", Scope.CONSENT_READ)
    def history(request: Request, body: SubjectQuery) -> Response:
        """Look one person up; the look-up is in the ledger."""
        found: list[ConsentChange] = control.consent_history(body.subject, warrant(request, body.reason))
        return reply({"changes": found})

    return on.router
