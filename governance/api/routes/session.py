"""Who am I, and how one logs in."""

from fastapi import APIRouter, Request, Response

from governance.api.answers import Me, caller, reply, warrant
from governance.api.bodies import Exchange
from governance.api.context import ControlContext
from governance.api.gate import PUBLIC, Routes, request_id
from governance.outcomes import Once
from storage import roles
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/me", Scope.READ, answer=Me)
    def me(request: Request) -> Response:
        """Tell who calls and what they may."""
        by = caller(request)
        with context.database.read() as read:
            like = roles.like(read, by.role)
        return reply(
            Me(
                principal=by.name,
                role=by.role,
                like=like,
                scopes=tuple(sorted(by.scopes)),
                token_id=by.token_id,
                environment=context.environment,
                solo=context.solo,
            )
        )

    @on.on("POST", "/auth/once", Scope.READ, answer=Once)
    def once(request: Request) -> Response:
        """Make a login link's secret for the caller: ten minutes, one use."""
        return reply(control.once(warrant(request, "one-time login link")))

    @on.on("POST", "/auth/exchange", PUBLIC)
    def exchange(request: Request, body: Exchange) -> Response:
        """Turn a login link's secret into a session."""
        minted = control.exchange(body.once, request_id=request_id(request))
        request.app.state.gate.forget()
        return reply(
            {
                "token": minted.token,
                "principal": minted.principal,
                "role": minted.role,
                "scopes": minted.scopes,
                "expires_at": minted.expires_at,
            }
        )

    @on.on("POST", "/auth/logout", Scope.READ)
    def logout(request: Request) -> Response:
        """Revoke the token that this request came with."""
        control.revoke(caller(request).token_id, warrant(request, "the holder logged out"))
        request.app.state.gate.forget()
        return reply({"revoked": True})

    return on.router
