"""Roles: the built-in ones, and those of the installation's own."""

from typing import Annotated

import typer

from fairlead.commands.edited import add_edits
from fairlead.commands.options import Json, control, noun
from fairlead.console import emit

app = noun("role", "Roles: list, show, create, edit, delete.")


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List what each role may, and who holds tokens of it."""
    found = control(ctx).get("/roles")
    rows = [
        {
            "role": view["role"]["key"],
            "kind": "built in" if view["built_in"] else f"own, like {view['role']['like']}",
            "scopes": " ".join(view["role"]["scopes"]),
            "people": ", ".join(view["holders"]) or "–",
        }
        for view in found["roles"]
    ]
    emit(found if as_json else rows, as_json=as_json)


@app.command()
def show(
    ctx: typer.Context, *, key: Annotated[str, typer.Argument(help="The role's key.")], as_json: Json = False
) -> None:
    """Show one of the installation's own roles."""
    found = control(ctx).get(f"/roles/{key}")
    emit(found if as_json else found["role"], as_json=as_json)


add_edits(
    app,
    "role",
    {
        "create": "Create a role from a JSON file: key, title, like, scopes.",
        "edit": "Replace a role; a wider one needs a second admin: propose a change.",
        "delete": "Delete a role that nobody holds.",
    },
)
