"""Alerts: what fires, what was, and what people do about it; everyone sees those of their own work."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.alerts import noise
from governance.alerts.desk import longest
from governance.alerts.kinds import audiences
from governance.alerts.runbooks import RUNBOOKS
from governance.api.alert_bodies import Hush, TryAlert
from governance.api.answers import caller, reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import alerts, deliveries
from storage.errors import NotFound
from storage.records.access import Scope
from storage.records.alerts import Alert, Silence
from storage.records.clock import DAY, MINUTE


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    def view(alert: Alert, silences: Mapping[str, Silence], sent: list[Any]) -> Mapping[str, Any]:
        held, now = silences.get(alert.fingerprint), control.now()
        told = {name: getattr(alert, name) for name in alert.__dataclass_fields__}
        return told | {
            "state": alert.state(held, now),
            "silence": held,
            "silence_most_minutes": longest(alert) // MINUTE,
            "ack_after_us": None if alert.acked_at is None else alert.acked_at - alert.fired_at,
            "deliveries": [one for one in sent if one.alert_id == alert.alert_id],
        }

    @on.on("GET", "/alerts", Scope.READ)
    def listed(
        request: Request,
        days: Annotated[int, Query(ge=1, le=400)] = 30,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        """List alerts of so many days, the latest first, what fires before what is over; and which are noisy."""
        now = control.now()
        mine = audiences(caller(request))
        with context.database.read() as read:
            rows = alerts.listed(read, start=now - days * DAY, end=now + 1, audiences=mine, limit=limit)
            silences = alerts.silences(read, now=now)
            sent = deliveries.of_alerts(read, [one.alert_id for one in rows])
            hushed = alerts.silenced_since(read, now - days * DAY)
        rows = sorted(rows, key=lambda one: (one.resolved_at is not None, -one.fired_at))
        return reply(
            {
                "alerts": [view(one, silences, sent) for one in rows],
                "firing": sum(one.state(silences.get(one.fingerprint), now) == "firing" for one in rows),
                "noisy": noise.noisy(rows, hushed),
                "destinations": [
                    {"name": one.name, "audience": one.audience or "everything"} for one in context.destinations
                ],
                "now": now,
            }
        )

    @on.on("GET", "/alerts/{alert_id}", Scope.READ)
    def show(request: Request, alert_id: str) -> Response:
        """Show one alert with its deliveries and its runbook."""
        with context.database.read() as read:
            alert: Alert = found(alerts.find(read, alert_id), "alert")
            silences = alerts.silences(read, now=control.now())
            sent = deliveries.of_alerts(read, [alert_id])
        if alert.audience not in audiences(caller(request)):
            raise NotFound("no such alert")
        book = RUNBOOKS.get(alert.name, RUNBOOKS["unknown"])
        return reply({**view(alert, silences, sent), "runbook": book})

    @on.on("POST", "/alerts/test", Scope.ALERT_ANSWER, status=201, answer=Alert)
    def test(request: Request, body: TryAlert) -> Response:
        """Send a marked test to everyone who would be told of this kind of alert."""
        order = warrant(request, body.reason)
        return reply(control.alerts.test(body.name, context.destinations, order), status=201)

    @on.on("POST", "/alerts/{alert_id}/acknowledge", Scope.ALERT_ANSWER, answer=Alert)
    def acknowledge(request: Request, alert_id: str, body: Why) -> Response:
        """Say that somebody looks after it."""
        return reply(control.alerts.acknowledge(alert_id, warrant(request, body.reason)))

    @on.on("POST", "/alerts/{alert_id}/silence", Scope.ALERT_ANSWER, answer=Silence)
    def silence(request: Request, alert_id: str, body: Hush) -> Response:
        """Send nothing of it for so many minutes: a day at most, an hour where it concerns consent or the record."""
        return reply(control.alerts.silence(alert_id, body.minutes, warrant(request, body.reason)))

    @on.on("POST", "/alerts/{alert_id}/lift", Scope.ALERT_ANSWER, answer=Silence)
    def lift(request: Request, alert_id: str, body: Why) -> Response:
        """End its silence now."""
        return reply(control.alerts.lift(alert_id, warrant(request, body.reason)))

    @on.on("POST", "/alerts/{alert_id}/resolve", Scope.ALERT_ANSWER, answer=Alert)
    def resolve(request: Request, alert_id: str, body: Why) -> Response:
        """Close it by hand; what is still true fires again."""
        return reply(control.alerts.resolve(alert_id, warrant(request, body.reason)))

    return on.router
