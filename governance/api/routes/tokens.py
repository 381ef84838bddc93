"""Tokens."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from governance.api.access_bodies import NewToken
from governance.api.answers import reply, warrant
from governance.api.bodies import Why
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.outcomes import Minted
from storage import token_uses, tokens
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/tokens", Scope.ADMIN)
    def listed() -> Response:
        """List tokens; never their text."""
        with context.database.read() as read:
            used = token_uses.last_used(read)
            return reply({"tokens": [asdict(one) | {"used_at": used.get(one.token_id)} for one in tokens.listed(read)]})

    @on.on("POST", "/tokens", Scope.ADMIN, status=201, answer=Minted)
    def mint(request: Request, body: NewToken) -> Response:
        """Mint a token; this answer alone shows its text, once every engine knows it."""
        minted = control.mint(
            name=body.name,
            principal=body.principal,
            role=body.role,
            scopes=body.scopes,
            expires_in_s=body.expires_in_s,
            warrant=warrant(request, body.reason),
        )
        request.app.state.gate.forget()
        control.wait_for_tokens()
        return reply(minted, status=201)

    @on.on("POST", "/tokens/{token_id}/revoke", Scope.ADMIN)
    def revoke(request: Request, token_id: str, body: Why) -> Response:
        """Revoke a token for good."""
        control.revoke(token_id, warrant(request, body.reason, body.confirm))
        request.app.state.gate.forget()
        return reply({"revoked": True})

    return on.router
