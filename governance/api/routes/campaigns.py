"""Campaigns."""

from fastapi import APIRouter, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import NewCampaign, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from storage import campaigns
from storage.campaigns import StoredCampaign
from storage.records.access import Scope
from storage.records.document import dump


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/campaigns", Scope.READ)
    def listed() -> Response:
        """List all campaigns."""
        with context.database.read() as read:
            return reply({"campaigns": campaigns.listed(read)})

    @on.on("POST", "/campaigns", Scope.CAMPAIGN_WRITE, status=201, answer=Outcome)
    def create(request: Request, body: NewCampaign) -> Response:
        """Create a campaign, as a draft."""
        payload = {"campaign": dump(body.campaign)}
        made = control.do("campaign.create", body.campaign.key, payload, warrant(request, body.reason))
        return reply(made, status=201, etag=made.etag)

    @on.on("GET", "/campaigns/{key}", Scope.READ, answer=StoredCampaign)
    def show(key: str) -> Response:
        """Show one campaign."""
        with context.database.read() as read:
            stored: StoredCampaign = found(campaigns.find(read, key), "campaign")
        return reply(stored, etag=stored.etag)

    @on.on("PUT", "/campaigns/{key}", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def edit(request: Request, key: str, body: NewCampaign) -> Response:
        """Replace a campaign; If-Match names what was read."""
        payload = {"campaign": dump(body.campaign)}
        outcome = control.do("campaign.edit", key, payload, warrant(request, body.reason, body.confirm))
        return reply(outcome, etag=outcome.etag)

    def move(verb: str) -> None:
        @on.on("POST", f"/campaigns/{{key}}/{verb}", Scope.CAMPAIGN_WRITE, answer=Outcome)
        def moved(request: Request, key: str, body: Why) -> Response:
            outcome = control.do(f"campaign.{verb}", key, {}, warrant(request, body.reason, body.confirm))
            return reply(outcome, etag=outcome.etag)

    for verb in ("start", "pause", "resume", "end"):
        move(verb)
    return on.router
