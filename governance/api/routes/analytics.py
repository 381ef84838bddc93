"""What is told of people: of everyone by segment, and of one person with the factors behind it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from governance.api.answers import caller, reply, warrant
from governance.api.bodies import SubjectQuery
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.audience import audience
from governance.forecasting import forecasts
from governance.insights import insights
from governance.warrants import Warrant
from storage.errors import NotFound
from storage.records.access import Scope

ROUTE = "asked by the route of insights about one person"
NOTHING = "nothing may be told of this person: no event is kept, or they did not agree to profiling"


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    def told(subject: str, order: Warrant) -> Mapping[str, Any]:
        pseudonym = context.control.look_up(subject, order)
        found = (
            insights(context.database, context.lake, context.home, subject=pseudonym, now=context.control.now())
            if pseudonym
            else None
        )
        if found is None:
            raise NotFound(NOTHING)
        return found

    @on.on("GET", "/analytics/forecasts", Scope.READ)
    def models() -> Response:
        """Show the models of people in service, each with its proof beside the best one-line rule."""
        with context.database.read() as read:
            return reply({"forecasts": forecasts(read)})

    def behaviour_at(path: str) -> None:
        @on.on("GET", path, Scope.READ)
        def behaviour(request: Request) -> Response:
            with context.database.read() as read:
                everyone = audience(read, exact=caller(request).may(Scope.CONSENT_READ))
                return reply({"audience": everyone, "forecasts": forecasts(read)})

    for path in ("/analytics/user-behavior", "/personalization/analytics"):
        behaviour_at(path)

    @on.on("POST", "/analytics/person", Scope.DECISION_READ)
    def person(request: Request, body: SubjectQuery) -> Response:
        """Tell of one person, by raw id: segments, churn, value, next action, with factors; the look-up is in the
        ledger."""
        return reply(told(body.subject, warrant(request, body.reason)))

    @on.on("GET", "/personalization/insights/{subject}", Scope.DECISION_READ, enters=True)
    def insight(request: Request, subject: str) -> Response:
        """Tell the same of the person whom the address names; an address may end up in logs, a body does not."""
        return reply(told(subject, warrant(request, ROUTE)))

    return on.router
