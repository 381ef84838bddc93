"""Rules: written, checked, turned on and off, put back, deleted, and what gets in whose way."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import NewRule, RuleDraft, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from governance.review import Review, Shelfmarks, in_service, review, told
from storage import rules
from storage.errors import Invalid
from storage.records.access import Scope
from storage.records.document import dump, parse
from storage.records.rules import Rule, RuleAction
from storage.rules import StoredRule


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control, marks = context.control, Shelfmarks()

    @on.on("GET", "/rules", Scope.READ)
    def listed(
        *,
        surface: Annotated[str | None, Query(max_length=256)] = None,
        campaign: Annotated[str | None, Query(max_length=256)] = None,
        action: RuleAction | None = None,
        enabled: bool | None = None,
    ) -> Response:
        """List the installation's rules; of a surface or campaign those that may apply there."""
        with context.database.read() as read:
            held = rules.listed(read)
        asked = (surface, campaign, action, enabled)
        return reply({"rules": [stored for stored in held if _asked_for(stored.rule, *asked)]})

    @on.on("POST", "/rules", Scope.CAMPAIGN_WRITE, status=201, answer=Outcome)
    def create(request: Request, body: NewRule) -> Response:
        """Create a rule; it serves at once unless it is off."""
        payload = {"rule": dump(body.rule)}
        made = control.do("rule.create", body.rule.key, payload, warrant(request, body.reason, body.confirm))
        return reply(made, status=201, etag=made.etag)

    @on.on("POST", "/rules/validate", Scope.CAMPAIGN_WRITE, answer=Review)
    def validate(body: RuleDraft) -> Response:
        """Check a rule without writing it: what to mend, with which rules it conflicts, who must agree."""
        try:
            rule = parse(Rule, body.rule)
        except Invalid as error:
            return reply(Review(problems=error.problems, conflicts=(), level="D1"))
        with context.database.read() as read:
            return reply(review(read, rule, marks=marks, now=control.now()))

    @on.on("GET", "/rules/conflicts", Scope.READ)
    def conflicts() -> Response:
        """Tell which rules in service get in each other's way, and which goes first."""
        with context.database.read() as read:
            return reply({"conflicts": told(read, in_service(read), marks=marks, now=control.now())})

    @on.on("GET", "/rules/{key}", Scope.READ, answer=StoredRule)
    def show(key: str) -> Response:
        """Show one rule, with what its last edit replaced."""
        with context.database.read() as read:
            stored: StoredRule = found(rules.find(read, key), "rule")
        return reply(stored, etag=stored.etag)

    @on.on("PUT", "/rules/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def edit(request: Request, key: str, body: NewRule) -> Response:
        """Replace a rule; If-Match names what was read."""
        payload = {"rule": dump(body.rule)}
        outcome = control.do("rule.edit", key, payload, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    @on.on("DELETE", "/rules/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def delete(request: Request, key: str, body: Why) -> Response:
        """Delete a rule that is off; If-Match names what was read."""
        return reply(control.do("rule.delete", key, {}, warrant(request, body.reason, body.confirm)))

    def move(verb: str) -> None:
        @on.on("POST", f"/rules/{{key}}/{verb}", Scope.CAMPAIGN_WRITE, answer=Outcome)
        def moved(request: Request, key: str, body: Why) -> Response:
            outcome = control.do(f"rule.{verb}", key, {}, warrant(request, body.reason, body.confirm))
            return reply(outcome, etag=outcome.etag)

    for verb in ("enable", "disable", "rollback"):
        move(verb)
    return on.router


def _asked_for(rule: Rule, surface: str | None, campaign: str | None, action: str | None, enabled: bool | None) -> bool:
    return (
        (surface is None or not rule.surfaces or surface in rule.surfaces)
        and (campaign is None or not rule.campaigns or campaign in rule.campaigns)
        and action in (None, rule.action)
        and enabled in (None, rule.enabled)
    )
