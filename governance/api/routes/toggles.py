"""Toggles: written, checked, turned on and off, put back, deleted; and what somebody would get."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.api.toggle_bodies import NewToggle, ToggleDraft, ToggleTry
from governance.outcomes import Outcome
from governance.toggling import askers, level_of, problems_of, reach
from scoring_core.toggles import evaluate, plan_toggles
from storage import toggles
from storage.errors import Invalid
from storage.records.access import Scope
from storage.records.document import dump, parse
from storage.records.toggles import Toggle
from storage.toggles import StoredToggle

TRIED_MOST = 1_000


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/toggles", Scope.READ)
    def listed(*, enabled: Annotated[bool | None, Query()] = None) -> Response:
        """List toggles."""
        with context.database.read() as read:
            held = toggles.listed(read)
        shown = [one for one in held if enabled is None or one.toggle.enabled == enabled]
        return reply({"toggles": [{**_view(one), "reach": reach(one.toggle)} for one in shown]})

    @on.on("POST", "/toggles", Scope.CAMPAIGN_WRITE, status=201, answer=Outcome)
    def create(request: Request, body: NewToggle) -> Response:
        """Create a toggle; it is off unless the document says otherwise."""
        order = warrant(request, body.reason, body.confirm)
        made = control.do("toggle.create", body.toggle.key, {"toggle": dump(body.toggle)}, order)
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/toggles/{key}", Scope.READ)
    def show(key: str) -> Response:
        """Show one toggle, and which others ask for it."""
        with context.database.read() as read:
            stored: StoredToggle = found(toggles.find(read, key), "toggle")
            asking = askers(read, key)
        return reply({**_view(stored), "reach": reach(stored.toggle), "asked_by": asking}, etag=stored.etag)

    @on.on("PUT", "/toggles/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def edit(request: Request, key: str, body: NewToggle) -> Response:
        """Replace a toggle; If-Match names what was read."""
        order = warrant(request, body.reason, body.confirm)
        outcome = control.do("toggle.edit", key, {"toggle": dump(body.toggle)}, order)
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/toggles/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete a toggle that is off and that no other asks for; If-Match names what was read."""
        return reply(control.do("toggle.delete", key, {}, warrant(request, body.reason, body.confirm)))

    def step(verb: str) -> None:
        @on.on("POST", f"/toggles/{{key}}/{verb}", Scope.CAMPAIGN_WRITE, answer=Outcome)
        def stepped(request: Request, key: str, body: Why) -> Response:
            outcome = control.do(f"toggle.{verb}", key, {}, warrant(request, body.reason, body.confirm))
            return reply(outcome, etag=outcome.etag)

    for verb in ("enable", "disable", "rollback"):
        step(verb)

    _checks(on, context)
    return on.router


def _checks(on: Routes, context: ControlContext) -> None:
    control = context.control

    @on.on("POST", "/toggles/validate", Scope.CAMPAIGN_WRITE)
    def validate(body: ToggleDraft) -> Response:
        """Check a toggle without writing it: what to mend, who must agree, and whom it may reach."""
        try:
            toggle = parse(Toggle, body.toggle)
        except Invalid as error:
            return reply({"problems": error.problems, "level": None, "reach": None})
        with context.database.read() as read:
            problems = problems_of(read, toggle)
            before = toggles.find(read, toggle.key)
        level = level_of(before.toggle if before else None, toggle)
        return reply({"problems": problems, "level": level, "reach": reach(toggle)})

    @on.on("POST", "/toggles/{key}/try", Scope.READ)
    def try_out(key: str, body: ToggleTry) -> Response:
        """Say what a toggle would give to those who are described, and by which rule; reads and writes nobody.

        ``toggle`` tries a draft in the place of what is saved.
        """
        with context.database.read() as read:
            held = {one.toggle.key: one.toggle for one in toggles.listed(read)}
        if body.toggle is not None:
            held[key] = parse(Toggle, body.toggle)
        found(held.get(key), "toggle")
        planned = plan_toggles(held.values())
        now = control.now() if body.at is None else body.at
        shown = [
            evaluate(key, planned, who.attributes, ids={"subject": who.subject, "session": who.session}, now=now)
            for who in body.people[:TRIED_MOST]
        ]
        return reply({"evaluations": [{**dump(one), "on": one.on} for one in shown]})


def _view(stored: StoredToggle) -> dict[str, object]:
    return {
        "toggle": stored.toggle,
        "etag": stored.etag,
        "updated_at": stored.updated_at,
        "previous": stored.previous,
    }
