"""Frequency caps: written, checked, edited, put back, deleted, and what each held back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance import cap_effects
from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import CapDraft, NewCap, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.cap_effects import CapView
from governance.cap_spread import Spread, spread
from governance.cap_validity import behind, sentence
from governance.capping import level_of, problems_of
from governance.outcomes import Outcome
from storage import caps
from storage.errors import Invalid
from storage.records.access import Scope
from storage.records.caps import Cap
from storage.records.clock import HOUR
from storage.records.document import dump, parse


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/caps", Scope.READ)
    def listed() -> Response:
        """List the installation's caps, and those inside policies in service and campaigns."""
        with context.database.read() as read:
            return reply({"caps": cap_effects.own(read), "elsewhere": cap_effects.elsewhere(read)})

    @on.on("POST", "/caps", Scope.CAMPAIGN_WRITE, status=201, answer=Outcome)
    def create(request: Request, body: NewCap) -> Response:
        """Create a cap; it holds at once, and counts from now on."""
        payload = {"cap": dump(body.cap)}
        made = control.do("cap.create", body.cap.key, payload, warrant(request, body.reason, body.confirm))
        return reply(made, status=201, etag=made.etag)

    @on.on("POST", "/caps/validate", Scope.CAMPAIGN_WRITE)
    def validate(body: CapDraft) -> Response:
        """Check a cap without writing it: what to mend, what it says, and which stricter one makes it idle."""
        try:
            cap = parse(Cap, body.cap)
        except Invalid as error:
            return reply({"problems": error.problems, "behind": None, "sentence": "", "level": "D1"})
        with context.database.read() as read:
            others = {each.cap.key: each.cap for each in caps.listed(read)}
            told = {"problems": problems_of(read, cap), "level": level_of(cap, others.get(cap.key))}
        idle = behind(others | {cap.key: cap}).get(cap.key)
        return reply({**told, "behind": idle, "sentence": sentence(cap)})

    @on.on("GET", "/caps/effect", Scope.READ)
    def effect(hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24) -> Response:
        """Tell how often each cap held something back in the last hours."""
        end = control.now()
        start = end - hours * HOUR
        with context.database.read() as read:
            return reply({"start": start, "end": end, "effects": cap_effects.effects(read, start=start, end=end)})

    @on.on("GET", "/caps/exposures", Scope.READ, answer=Spread)
    def exposures(name: Annotated[str, Query(max_length=200)]) -> Response:
        """Tell how often people were shown what a cap counts, in its window as it stands now, and what stricter limits
        would have held back of that; of fewer than 50 people nothing."""
        with context.database.read() as read:
            every = [*cap_effects.own(read), *cap_effects.elsewhere(read)]
            view: CapView = found(next((each for each in every if each.name == name), None), "cap")
            return reply(spread(read, context.lake, view.cap, now=control.now()))

    @on.on("GET", "/caps/{key}", Scope.READ, answer=CapView)
    def show(key: str) -> Response:
        """Show one cap, with what its last edit replaced."""
        with context.database.read() as read:
            view: CapView = found(next((each for each in cap_effects.own(read) if each.name == key), None), "cap")
        return reply(view, etag=view.etag)

    @on.on("PUT", "/caps/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def edit(request: Request, key: str, body: NewCap) -> Response:
        """Replace a cap; If-Match names what was read."""
        payload = {"cap": dump(body.cap)}
        outcome = control.do("cap.edit", key, payload, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/caps/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete a cap; If-Match names what was read."""
        return reply(control.do("cap.delete", key, {}, warrant(request, body.reason, body.confirm)))

    @on.on("POST", "/caps/{key}/rollback", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def rollback(request: Request, key: str, body: Why) -> Response:
        """Put back what the last edit replaced."""
        outcome = control.do("cap.rollback", key, {}, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    return on.router
