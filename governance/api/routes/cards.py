"""Cards of policy and model versions: what is written of each, and the facts."""

from dataclasses import asdict, replace

from fastapi import APIRouter, Request, Response

from governance import cards
from governance.api.answers import reply, warrant
from governance.api.bodies import Text
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.card_text import markdown
from governance.outcomes import Outcome
from storage.records.access import Scope
from storage.records.cards import Card
from storage.records.document import document, dump


@document
class CardOrder:
    """What is written of a version."""

    card: Card
    reason: Text


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    def of(kind: str, path: str) -> None:
        @on.on("GET", path, Scope.READ)
        def show(key: str, version: str) -> Response:
            """Show a version's card: what is written, the facts, both as a document, and what is still owed."""
            with context.database.read() as read:
                shown = cards.shown(read, kind, key, version)
            plain = {**shown, "card": None if shown["card"] is None else asdict(shown["card"])}
            return reply({**plain, "markdown": markdown(plain)}, etag=shown["etag"])

        @on.on("PUT", path, Scope.POLICY_PROPOSE, answer=Outcome)
        def write(request: Request, key: str, version: str, body: CardOrder) -> Response:
            """Write a version's card; the facts are kept with it as they are now."""
            order = warrant(request, body.reason)
            payload = {"version": version, "card": dump(body.card), "etag": order.etag}
            outcome = context.control.do(f"{kind}.card", key, payload, replace(order, etag=None))
            return reply(outcome, etag=outcome.etag)

    of(cards.POLICY, "/policies/{key}/versions/{version}/card")
    of(cards.MODEL, "/models/{key}/versions/{version}/card")
    return on.router
