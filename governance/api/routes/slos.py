"""Objectives: what each asks for, what is left of its budget, how fast that burns, and until when it lasts."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from governance.actions import found
from governance.alerts.indicators import INDICATORS
from governance.alerts.objectives import Standing, in_force, standing, standings
from governance.api.alert_bodies import NewSlo
from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from storage import slos
from storage.records.access import Scope
from storage.records.document import dump


def _view(each: Standing) -> Mapping[str, Any]:
    counted = each.budget.counted
    return {
        "slo": each.slo,
        "own": each.own,
        "tells": INDICATORS[each.slo.indicator].tells,
        "good": counted.good,
        "valid": counted.valid,
        "current": each.budget.current,
        "left": each.budget.left,
        "exhausted_in_us": each.budget.exhausted_in_us,
        "burns": [
            {
                "long_s": one.window.long_s,
                "short_s": one.window.short_s,
                "factor": one.window.factor,
                "long": one.long_rate,
                "short": one.short_rate,
                "n": one.long.valid,
                "bad": one.long.bad,
                "by": one.by,
                "fires": one.fires,
            }
            for one in each.burns
        ],
    }


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/slos", Scope.READ)
    def listed() -> Response:
        """List the objectives in force with their budgets."""
        with context.database.read() as read:
            rows = standings(read, now=control.now())
        told = {name: one.tells for name, one in INDICATORS.items()}
        return reply({"slos": [_view(one) for one in rows], "indicators": told, "now": control.now()})

    @on.on("GET", "/slos/{key}", Scope.READ)
    def show(key: str) -> Response:
        """Show one objective; its tag is empty as long as nobody wrote it."""
        with context.database.read() as read:
            slo, own = found(in_force(read).get(key), "objective")
            stored = slos.find(read, key)
            told = standing(read, slo, own=own, now=control.now())
        etag = stored.etag if stored else ""
        return reply({**_view(told), "etag": etag, "previous": stored.previous if stored else None}, etag=etag)

    @on.on("POST", "/slos", Scope.POLICY_APPLY, status=201, answer=Outcome)
    def create(request: Request, body: NewSlo) -> Response:
        """Write an objective, also in the place of one of the house. To ask for less takes a second person."""
        order = warrant(request, body.reason, body.confirm)
        made = control.do("slo.create", body.slo.key, {"slo": dump(body.slo)}, order)
        return reply(made, status=201, etag=made.etag)

    @on.on("PUT", "/slos/{key}", Scope.POLICY_APPLY, answer=Outcome)
    def edit(request: Request, key: str, body: NewSlo) -> Response:
        """Replace an objective; If-Match names what was read."""
        order = warrant(request, body.reason, body.confirm)
        outcome = control.do("slo.edit", key, {"slo": dump(body.slo)}, order)
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/slos/{key}", Scope.POLICY_APPLY, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete an objective; one of the house's of that key holds again. If-Match names what was read."""
        return reply(control.do("slo.delete", key, {}, warrant(request, body.reason, body.confirm)))

    return on.router
