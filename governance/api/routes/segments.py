"""Segments: what they mean and how large they are; an installation's own ones written, edited and deleted."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import caller, reply, warrant
from governance.api.bodies import NewSegment, NewSegmentKey, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.audience import SHOWN_FROM, Audience, audience
from governance.outcomes import Outcome
from governance.segments import etag_of, rule_of, uses
from storage import segments
from storage.records import clock
from storage.records.access import Scope
from storage.records.document import dump

Days = Annotated[int, Query(ge=1, le=90)]


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    def told(request: Request) -> Audience:
        with context.database.read() as read:
            return audience(read, exact=caller(request).may(Scope.CONSENT_READ))

    def list_at(path: str) -> None:
        @on.on("GET", path, Scope.READ, answer=Audience)
        def listed(request: Request) -> Response:
            return reply(told(request))

    for path in ("/segments", "/personalization/segments", "/analytics/segment-performance"):
        list_at(path)

    @on.on("POST", "/segments", Scope.CAMPAIGN_WRITE, status=201, answer=Outcome)
    def create(request: Request, body: NewSegmentKey) -> Response:
        """Create a segment; conditions may ask for it at once, its size is known after the next census."""
        made = control.do("segment.create", body.key, {"rule": dump(body.rule)}, warrant(request, body.reason))
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/segments/history", Scope.READ)
    def history(request: Request, days: Days = 30) -> Response:
        """Show how large each segment was, hour by hour; sizes below 50 are null for who may not look people up."""
        every, now = caller(request).may(Scope.CONSENT_READ), control.now()
        with context.database.read() as read:
            sizes = segments.history(read, start=now - days * clock.DAY, end=now + 1)
        return reply(
            {
                "segments": {
                    key: [{"at": at, "people": people if every or people >= SHOWN_FROM else None} for at, people in row]
                    for key, row in sizes.items()
                }
            }
        )

    @on.on("GET", "/segments/{key}", Scope.READ)
    def show(request: Request, key: str) -> Response:
        """Show one segment: its rule, its size, and what asks for it."""
        views = {view.key: view for view in told(request).segments}
        with context.database.read() as read:
            rule, etag, users = rule_of(read, key), etag_of(read, key), uses(read, key)
        shown = {"segment": found(views.get(key), "segment"), "rule": rule, "used_by": users, "etag": etag}
        return reply(shown, etag=etag)

    @on.on("PUT", "/segments/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def edit(request: Request, key: str, body: NewSegment) -> Response:
        """Replace a segment's rule, a standard one's too; If-Match names what was read."""
        order = warrant(request, body.reason, body.confirm)
        outcome = control.do("segment.edit", key, {"rule": dump(body.rule)}, order)
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/segments/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete an own segment that nothing asks for, or go back to the standard; If-Match names what was read."""
        return reply(control.do("segment.delete", key, {}, warrant(request, body.reason, body.confirm)))

    return on.router
