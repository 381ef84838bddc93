"""The ledger: who did what, why, and whether the chain is whole."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from governance.api.answers import caller, reply, warrant
from governance.api.context import ControlContext
from governance.api.downloads import archive, source_of
from governance.api.gate import Routes
from governance.evidence import ledger_bundle, proof_bundle
from storage import ledger
from storage.anchors import Anchors
from storage.extracts import Wanted
from storage.ledger import Verification
from storage.records.access import Scope

Limit = Annotated[int, Query(ge=1, le=500)]
Seq = Annotated[int, Query(ge=1, le=2**62)]
Instant = Annotated[int, Query(ge=0, le=2**62)]
Result = Literal["applied", "denied", "failed"]


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
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_key: str | None = None,
        result: Result | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        before_seq: Seq | None = None,
        limit: Limit = 100,
    ) -> Response:
        """List entries, the latest first; that somebody looked is an entry itself."""
        return page(
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

    @on.on("GET", "/ledger/own", Scope.READ)
    def own(request: Request, *, before_seq: Seq | None = None, limit: Limit = 100) -> Response:
        """List the caller's own entries."""
        return page(limit, actor=caller(request).name, before_seq=before_seq)

    @on.on("GET", "/ledger/export", Scope.AUDIT_READ, enters=True)
    def export(
        request: Request,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_key: str | None = None,
        result: Result | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        first: Seq | None = None,
        last: Seq | None = None,
    ) -> Response:
        """Download entries as a bundle that the public key alone checks; that somebody did is an entry of it."""
        wanted = Wanted(
            actor=actor,
            action=action,
            object_kind=object_kind,
            object_key=object_key,
            result=result,
            start=start,
            end=end,
            first=first,
            last=last,
        )
        order = warrant(request, "entries were exported")
        context.control.viewed("ledger", order, asked=wanted.filters, verb="export")
        source = source_of(context, request)
        with context.database.read() as read:
            return archive("ledger.zip", lambda path: ledger_bundle(read, source, path, wanted))

    @on.on("GET", "/ledger/key", Scope.READ)
    def key() -> Response:
        """Return the public key that anchors, receipts and bundles are checked with."""
        return Response(context.keys.public_pem, media_type="application/x-pem-file")

    @on.on("GET", "/ledger/{seq}/proof", Scope.AUDIT_READ, enters=True)
    def proof(request: Request, seq: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
        """Download one entry with the chain's segment between the two anchors around it; nothing of the others."""
        order = warrant(request, "the proof of an entry was exported")
        context.control.viewed("ledger", order, key=str(seq), verb="export")
        source = source_of(context, request)
        with context.database.read() as read:
            return archive(f"ledger-{seq}.zip", lambda path: proof_bundle(read, source, path, seq))

    @on.on("GET", "/ledger/verify", Scope.AUDIT_READ, answer=Verification, enters=True)
    def verify() -> Response:
        """Check every entry, every link and every anchor."""
        with context.database.read() as read:
            return reply(ledger.verify(read, keys=context.keys, anchors=anchors))

    return on.router
