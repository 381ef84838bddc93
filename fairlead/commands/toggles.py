"""Toggles: list, show, try on somebody, create, edit, turn, put back, delete."""

from typing import Annotated, Any

import typer

from fairlead.commands.edited import add_edits
from fairlead.commands.options import Json, condition, control, document, noun
from fairlead.console import emit

app = noun("toggle", "Toggles: list, show, try, validate, create, edit, enable, disable, rollback, delete.")
Key = Annotated[str, typer.Argument(help="The toggle's key.")]
Source = Annotated[str, typer.Argument(help="A JSON file with the toggle, or - for stdin.")]


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List toggles, and which share of everyone each may reach."""
    found = control(ctx).get("/toggles")
    emit(found if as_json else [_row(view) for view in found["toggles"]], as_json=as_json)


def _row(view: dict[str, Any]) -> dict[str, Any]:
    toggle = view["toggle"]
    return {
        "toggle": toggle["key"],
        "state": "on" if toggle["enabled"] else "off",
        "kind": toggle["kind"],
        "default": toggle["default"],
        "rules": len(toggle["rules"]),
        "reach": f"{100 * view['reach']:g} %",
        "version": toggle["version"],
    }


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one toggle, and which others ask for it."""
    view = control(ctx).get(f"/toggles/{key}")
    emit(view if as_json else view["toggle"] | {"asked_by": view["asked_by"]}, as_json=as_json)


@app.command("try")
def try_out(
    ctx: typer.Context,
    *,
    key: Key,
    subject: Annotated[str | None, typer.Option("--subject", help="Who is hashed.")] = None,
    attributes: Annotated[
        str | None, typer.Option("--attributes", help="What conditions are asked of, as JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what somebody described here would get, and by which rule; nobody's data are read."""
    person = {"subject": subject, "attributes": condition(attributes) or {}}
    found = control(ctx).post(f"/toggles/{key}/try", {"people": [person]})["evaluations"]
    emit(found[0], as_json=as_json)


@app.command()
def validate(ctx: typer.Context, *, source: Source, as_json: Json = False) -> None:
    """Check a toggle without writing it; exit 2 where something is wrong."""
    found = control(ctx).post("/toggles/validate", {"toggle": document(source)})
    emit(found if as_json else found["problems"], as_json=as_json, columns=("field", "message"))
    if found["problems"]:
        raise typer.Exit(2)


add_edits(
    app,
    "toggle",
    {
        "create": "Create a toggle; engines know it within a second.",
        "edit": "Replace a toggle; what reaches many more wants a second person (exit 7: propose it as a change).",
        "enable": "Let a toggle's rules hold.",
        "disable": "Give everyone the default, at once.",
        "rollback": "Put back what the last edit replaced.",
        "delete": "Delete a toggle that is off and that no other asks for.",
    },
)
