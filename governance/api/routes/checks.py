"""Checks: what each said last, since when, and what it said before."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext, beat_of
from governance.api.gate import Routes
from governance.checks.check import Check
from governance.checks.roster import CHECKS
from governance.patrol import patrol
from governance.warrants import require_reason
from storage import verdicts
from storage.records.access import Scope
from storage.records.clock import SECOND
from storage.records.verdicts import CheckVerdict

MISSED = 3
"""So many looks missing make a verdict stale."""


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    beat, control = beat_of(context), context.control
    known = {check.name: check for check in CHECKS}

    def view(check: Check, told: CheckVerdict | None) -> Mapping[str, Any]:
        about = {"name": check.name, "title": check.title, "question": check.question, "every_s": check.every_s}
        if told is None:
            never = {"verdict": "unknown", "since": None, "seen": None, "sentence": "It has not looked yet."}
            return about | never | {"figures": {}, "stale": True}
        stale = control.now() - told.seen > MISSED * max(check.every_s, 30.0) * SECOND
        said = {name: getattr(told, name) for name in ("verdict", "since", "seen", "sentence", "figures")}
        return about | said | {"stale": stale}

    @on.on("GET", "/checks", Scope.READ)
    def listed() -> Response:
        """List every check with its last verdict."""
        with context.database.read() as read:
            last = verdicts.latest(read)
        return reply({"checks": [view(check, last.get(check.name)) for check in CHECKS]})

    @on.on("GET", "/checks/{name}", Scope.READ)
    def show(name: str, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Response:
        """Show one check with what it said before."""
        check: Check = found(known.get(name), "check")
        with context.database.read() as read:
            before = verdicts.history(read, name, limit=limit)
        return reply({"check": view(check, before[0] if before else None), "history": before})

    @on.on("POST", "/checks/run", Scope.JOB_RUN)
    def run(request: Request, body: Why) -> Response:
        """Let every check look now."""
        order = warrant(request, body.reason)
        require_reason(order)
        told = {each.check: each for each in patrol(beat, now=control.now(), every=True)}
        said = {name: each.verdict for name, each in told.items()}
        control.viewed("checks", order, asked=said, verb="run")
        return reply({"checks": [view(check, told.get(check.name)) for check in CHECKS]})

    return on.router
