"""Tokens of the two APIs: create, list, revoke."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun
from fairlead.console import emit, say

app = noun("token", "Bearer tokens: create, list, revoke.")


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    scopes: Annotated[
        str | None, typer.Option("--scopes", help="Scopes, separated by commas; the role's own when left out.")
    ] = None,
    role: Annotated[
        str, typer.Option("--role", help="The role: service, marketer, data_scientist, ops, admin, or your own.")
    ] = ("service"),
    principal: Annotated[
        str | None, typer.Option("--principal", help="The person or service who holds it; the name when left out.")
    ] = None,
    expires_in: Annotated[int | None, typer.Option("--expires-in", min=1, help="Seconds until it expires.")] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Create a token; it is shown once."""
    body: dict[str, Any] = {
        "name": name,
        "principal": principal or name,
        "role": role,
        "reason": reason or "created on the command line",
    }
    if scopes is not None:
        body["scopes"] = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    if expires_in is not None:
        body["expires_in_s"] = expires_in
    minted = control(ctx).post("/tokens", body, once=str(uuid4()))
    if as_json:
        emit(minted, as_json=True)
        return
    say("Keep this token; it is not shown again.")
    emit(minted["token"], as_json=False)


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List tokens; never their secret."""
    rows = control(ctx).get("/tokens")["tokens"]
    columns = ("token_id", "name", "principal", "role", "scopes", "expires_at", "revoked_at", "used_at")
    emit(rows, as_json=as_json, columns=columns)


@app.command()
def revoke(
    ctx: typer.Context,
    *,
    token_id: Annotated[str, typer.Argument(help="The token's id, from `token list`.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Revoke a token."""
    path = f"/tokens/{token_id}/revoke"
    act(ctx, path, action=f"revoke token {token_id}", yes=yes, reason=reason, as_json=as_json)
