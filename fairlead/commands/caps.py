"""Frequency caps: list, show, what they held back, create, edit, put back, delete."""

from typing import Annotated

import typer

from fairlead.commands.edited import add_edits
from fairlead.commands.options import Json, control, noun
from fairlead.console import emit

app = noun("cap", "Frequency caps: list, show, effect, create, edit, rollback, delete.")
Key = Annotated[str, typer.Argument(help="The cap's key.")]


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the installation's caps, and those inside policies in service and campaigns."""
    found = control(ctx).get("/caps")
    rows = [*found["caps"], *found["elsewhere"]]
    emit(found if as_json else rows, as_json=as_json, columns=("name", "level", "sentence", "behind"))


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one cap."""
    view = control(ctx).get(f"/caps/{key}")
    emit(view if as_json else view["cap"], as_json=as_json)


@app.command()
def effect(
    ctx: typer.Context,
    *,
    hours: Annotated[int, typer.Option("--hours", min=1, max=744, help="How far back.")] = 24,
    as_json: Json = False,
) -> None:
    """Tell how often each cap held something back."""
    found = control(ctx).get("/caps/effect", hours=hours)
    columns = ("name", "checked", "held_back", "uncounted", "overserved")
    emit(found if as_json else found["effects"], as_json=as_json, columns=columns)


add_edits(
    app,
    "cap",
    {
        "create": "Create a cap; it holds at once, and counts from now on.",
        "edit": "Replace a cap. Allowing more than before needs a second person's agreement.",
        "rollback": "Put back what a cap's last edit replaced: one step, at once.",
        "delete": "Delete a cap; it needs a second person's agreement, as everything that allows more does.",
    },
)
