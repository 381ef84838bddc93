"""The ledger: read it, and prove that nobody touched it."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Limit, control, noun, settings
from fairlead.console import emit

app = noun("ledger", "The chained log of control actions: list, verify.")


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    actor: Annotated[str | None, typer.Option("--actor", help="Only this actor's.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this action.")] = None,
    object_key: Annotated[str | None, typer.Option("--object", help="Only about this object.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List entries, newest first."""
    query = {"actor": actor, "action": action, "object_key": object_key, "limit": limit}
    rows = control(ctx).get("/ledger", **query)["entries"]
    columns = ("seq", "at", "actor", "action", "object_key", "result", "reason")
    emit(rows, as_json=as_json, columns=columns)


def _offline(ctx: typer.Context) -> dict[str, Any]:
    from fairlead.wiring import open_existing
    from storage import ledger

    store = open_existing(settings(ctx))
    with store.database.read() as read:
        return asdict(ledger.verify(read, keys=store.keys, anchors=store.anchors))


@app.command()
def verify(
    ctx: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Read the database itself; control may be down.")] = False,
    as_json: Json = False,
) -> None:
    """Check the whole chain against the anchors outside the database; exit 6 where it does not hold."""
    found = _offline(ctx) if offline else control(ctx).get("/ledger/verify")
    emit(found, as_json=as_json)
    if not found["ok"]:
        raise typer.Exit(6)
