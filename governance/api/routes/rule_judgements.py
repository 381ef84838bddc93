"""What rules do, and what is advised about them, as their newest judgement has it."""

from typing import Any

from fastapi import APIRouter, Response

from governance.actions import found
from governance.api.answers import reply
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import findings
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/rules/performance", Scope.READ)
    def performance() -> Response:
        """Tell what each rule did, as the newest judgement has it."""
        judged = _judged(context)
        return reply({name: judged.get(name) for name in ("at", "start", "end", "effects")})

    @on.on("GET", "/rules/advice", Scope.READ)
    def advice() -> Response:
        """Tell what to do about rules, each piece with its evidence."""
        judged = _judged(context)
        return reply({name: judged.get(name) for name in ("at", "start", "end", "advice")})

    @on.on("GET", "/rules/{key}/performance", Scope.READ)
    def effect(key: str) -> Response:
        """Tell what one rule did, and what is advised about it."""
        judged = _judged(context)
        own = [one for one in judged.get("effects") or () if one["rule"] == key]
        about = [one for one in judged.get("advice") or () if one["rule"] == key]
        times = {name: judged.get(name) for name in ("at", "end")}
        return reply({**times, "effect": found(own[0] if own else None, "judgement of this rule"), "advice": about})

    return on.router


def _judged(context: ControlContext) -> dict[str, Any]:
    """Return the newest judgement of rules; empty where there is none yet."""
    with context.database.read() as read:
        newest = next(iter(findings.audits(read, "rules", limit=1)), None)
    return {} if newest is None else {"at": newest.at, **newest.population, **newest.result}
