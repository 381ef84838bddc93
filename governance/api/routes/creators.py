"""Creators and their audiences; a creator's own token sees that creator alone."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from governance.api.answers import caller, reply
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import findings
from storage.errors import NotFound
from storage.records.access import Scope

NONE = "nothing is told of such a creator: no item of theirs was shown, or insights were not counted yet"


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/analytics/creators", Scope.READ)
    def listed() -> Response:
        """List creators with how their items do beside everyone else's; parts of fewer than 50 people are masked."""
        newest = _newest(context)
        rows = [{name: one[name] for name in one if name != "prefers"} for one in newest.get("creators", ())]
        return reply({"at": newest.get("at"), "attribute": newest.get("attribute"), "creators": rows})

    @on.on("GET", "/analytics/retention", Scope.READ)
    def retention() -> Response:
        """Tell how many came back, by the week in which they were first seen."""
        newest = _newest(context)
        return reply({"at": newest.get("at"), "cohorts": newest.get("cohorts", ())})

    @on.on("GET", "/analytics/creators/own", Scope.CREATOR)
    def own(request: Request) -> Response:
        """Tell a creator of their own audience: the one whose name the token's principal bears, and of nobody else."""
        return reply(_of(context, caller(request).name))

    @on.on("GET", "/analytics/creators/{creator:path}", Scope.READ)
    def show(creator: str) -> Response:
        """Tell of one creator: what each part of the audience prefers, with intervals."""
        return reply(_of(context, creator))

    return on.router


def _newest(context: ControlContext) -> Mapping[str, Any]:
    """Return the newest insights; empty where there are none yet."""
    with context.database.read() as read:
        newest = next(iter(findings.audits(read, "insights", limit=1)), None)
    return {} if newest is None else {"at": newest.at, **newest.result}


def _of(context: ControlContext, creator: str) -> Mapping[str, Any]:
    newest = _newest(context)
    rows = [one for one in newest.get("creators", ()) if one["creator"] == creator]
    if not rows:
        raise NotFound(NONE)
    return {"at": newest["at"], "creator": creator, "rows": rows}
