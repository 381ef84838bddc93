"""Checks: what each says, since when, and all of them looking now."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, control, noun
from fairlead.console import emit

app = noun("check", "Checks of the running system: list, show, run. Exit 6 where one shows harm.")


def _told(rows: list[dict[str, object]], *, as_json: bool) -> None:
    shown = rows if as_json else [{**row, "since_at": row["since"]} for row in rows]
    emit(shown, as_json=as_json, columns=("name", "verdict", "since_at", "sentence"))
    if any(row["verdict"] == "fail" for row in rows):
        raise typer.Exit(6)


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List every check with its last verdict; exit 6 where one shows harm."""
    _told(control(ctx).get("/checks")["checks"], as_json=as_json)


@app.command()
def show(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The check's name, from `check list`.")],
    as_json: Json = False,
) -> None:
    """Show one check and what it said before."""
    found = control(ctx).get(f"/checks/{name}")
    if as_json:
        emit(found, as_json=True)
        return
    emit({key: found["check"][key] for key in ("title", "question", "verdict", "sentence", "figures")}, as_json=False)
    rows = [{"since_at": one["since"], "seen_at": one["seen"], **one} for one in found["history"]]
    emit(rows, as_json=False, columns=("since_at", "seen_at", "verdict", "sentence"))


@app.command()
def run(ctx: typer.Context, *, reason: Reason = None, as_json: Json = False) -> None:
    """Let every check look now; exit 6 where one shows harm."""
    why = reason or "asked for on the command line"
    _told(control(ctx).post("/checks/run", {"reason": why})["checks"], as_json=as_json)
