"""Tokens."""

import time

from fastapi import APIRouter, Request, Response

from governance.api.answers import reply, warrant
from governance.api.bodies import NewToken, Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Minted
from storage import tokens
from storage.records.access import Scope

KNOWN_AFTER_S = 0.3
"""Engines look every 100 ms: after so long each has read a new token, and its text may be shown."""


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/tokens", Scope.ADMIN)
    def listed() -> Response:
        """List tokens; never their text."""
        with context.database.read() as read:
            return reply({"tokens": tokens.listed(read)})

    @on.on("POST", "/tokens", Scope.ADMIN, status=201, answer=Minted)
    def mint(request: Request, body: NewToken) -> Response:
        """Mint a token; this answer alone shows its text."""
        minted = control.mint(
            name=body.name,
            principal=body.principal,
            role=body.role,
            scopes=body.scopes,
            expires_in_s=body.expires_in_s,
            warrant=warrant(request, body.reason),
        )
        request.app.state.gate.forget()
        time.sleep(KNOWN_AFTER_S)
        return reply(minted, status=201)

    @on.on("POST", "/tokens/{token_id}/revoke", Scope.ADMIN)
    def revoke(request: Request, token_id: str, body: Why) -> Response:
        """Revoke a token for good."""
        control.revoke(token_id, warrant(request, body.reason, body.confirm))
        request.app.state.gate.forget()
        return reply({"revoked": True})

    return on.router
