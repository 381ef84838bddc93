"""The catalogue: what it holds, and the syncs that fill it."""

from fastapi import APIRouter, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import EditSync, NewItems, NewSync, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Outcome
from governance.syncs import sync_etag
from storage import catalogue, past_items, syncs
from storage.records.access import Scope
from storage.records.document import dump
from storage.records.items import Item


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/catalogue", Scope.READ)
    def show() -> Response:
        """Tell what the catalogue holds."""
        with context.database.read() as read:
            return reply({"holding": catalogue.holding(read), "oldest_version": past_items.oldest(read)})

    @on.on("POST", "/catalogue/items", Scope.CAMPAIGN_WRITE, answer=Outcome)
    def put(request: Request, body: NewItems) -> Response:
        """Add items, or replace them whole; engines serve them within a second."""
        payload = {"items": [dump(item) for item in body.items]}
        return reply(control.do("items.put", "catalogue", payload, warrant(request, body.reason)))

    @on.on("GET", "/catalogue/items/{item_id}", Scope.READ, answer=Item)
    def item(item_id: str) -> Response:
        """Show one item."""
        with context.database.read() as read:
            return reply(found(catalogue.item(read, item_id), "item"))

    @on.on("GET", "/catalogue/syncs", Scope.READ)
    def listed() -> Response:
        """List the syncs with their latest reports."""
        with context.database.read() as read:
            return reply({"syncs": syncs.standings(read)})

    @on.on("POST", "/catalogue/syncs", Scope.ADMIN, status=201, answer=Outcome)
    def create(request: Request, body: NewSync) -> Response:
        """Declare a sync; its first run begins within seconds."""
        outcome = control.do("sync.create", body.name, {"sync": dump(body.sync)}, warrant(request, body.reason))
        return reply(outcome, status=201, etag=outcome.etag)

    @on.on("GET", "/catalogue/syncs/{name}", Scope.READ)
    def shown(name: str) -> Response:
        """Show a sync and its latest runs."""
        with context.database.read() as read:
            sync, etag = found(syncs.declared(read).get(name), "sync"), sync_etag(read, name)
            return reply({"name": name, "sync": sync, "etag": etag, "runs": syncs.runs(read, name)}, etag=etag)

    @on.on("PUT", "/catalogue/syncs/{name}", Scope.ADMIN, answer=Outcome)
    def edit(request: Request, name: str, body: EditSync) -> Response:
        """Replace a sync; If-Match names what was read."""
        outcome = control.do("sync.edit", name, {"sync": dump(body.sync)}, warrant(request, body.reason))
        return reply(outcome, etag=outcome.etag)

    @on.on("POST", "/catalogue/syncs/{name}/remove", Scope.ADMIN, answer=Outcome)
    def remove(request: Request, name: str, body: Why) -> Response:
        """Remove a sync; the items that it brought stay."""
        return reply(control.do("sync.remove", name, {}, warrant(request, body.reason, body.confirm)))

    return on.router
