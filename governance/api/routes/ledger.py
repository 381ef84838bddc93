"""The ledger: who did what, why, and whether the chain is whole."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from governance.api.answers import caller, reply, warrant
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import ledger
from storage.anchors import Anchors
from storage.ledger import Verification
from storage.records.access import Scope

Limit = Annotated[int, Query(ge=1, le=500)]
Seq = Annotated[int, Query(ge=1, le=2**62)]
Instant = Annotated[int, Query(ge=0, le=2**62)]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    anchors = Anchors(context.home / "anchors" / "anchors.jsonl", context.keys.signing)

    def page(limit: int, **filters: Any) -> Response:
        with context.database.read() as read:
            found = ledger.entries(read, limit=limit, **filters)
        more = found[-1].seq if len(found) == limit else None
        return reply({"entries": found, "next_before_seq": more})

    @on.on("GET", "/ledger", Scope.AUDIT_READ)
    def entries(
        request: Request,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_key: str | None = None,
        result: Literal["applied", "denied", "failed"] | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        before_seq: Seq | None = None,
        limit: Limit = 100,
    ) -> Response:
        """List entries, the latest first; that somebody looked is an entry itself."""
        answer = page(
            limit,
            actor=actor,
            action=action,
            object_kind=object_kind,
            object_key=object_key,
            result=result,
            start=start,
            end=end,
            before_seq=before_seq,
        )
        if before_seq is None:
            context.control.viewed("ledger", warrant(request, "the audit log was opened"))
        return answer

    @on.on("GET", "/ledger/own", Scope.READ)
    def own(request: Request, *, before_seq: Seq | None = None, limit: Limit = 100) -> Response:
        """List the caller's own entries."""
        return page(limit, actor=caller(request).name, before_seq=before_seq)

    @on.on("GET", "/ledger/verify", Scope.AUDIT_READ, answer=Verification)
    def verify() -> Response:
        """Check every entry, every link and every anchor."""
        with context.database.read() as read:
            return reply(ledger.verify(read, keys=context.keys, anchors=anchors))

    return on.router
