"""Toggles: list, show, try on somebody, create, edit, turn, put back, delete."""

from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Reason, Yes, act, condition, control, document, noun
from fairlead.console import emit

app = noun("toggle", "Toggles: list, show, try, validate, create, edit, enable, disable, rollback, delete.")
Key = Annotated[str, typer.Argument(help="The toggle's key.")]
Source = Annotated[str, typer.Argument(help="A JSON file with the toggle, or - for stdin.")]
Confirm = Annotated[str | None, typer.Option("--confirm", help="The key again, where others' agreement is needed.")]


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


@app.command()
def create(
    ctx: typer.Context,
    *,
    source: Source,
    confirm: Confirm = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Create a toggle; engines know it within a second."""
    act(
        ctx,
        "/toggles",
        action="create the toggle",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"toggle": document(source)},
        confirm=confirm,
    )


@app.command()
def edit(
    ctx: typer.Context,
    *,
    key: Key,
    source: Source,
    confirm: Confirm = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Replace a toggle; what reaches many more wants a second person (exit 7: propose it as a change)."""
    act(
        ctx,
        f"/toggles/{key}",
        action=f"edit toggle {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"toggle": document(source)},
        confirm=confirm,
        method="put",
    )


def _step(name: str, what: str) -> None:
    def step(
        ctx: typer.Context,
        *,
        key: Key,
        confirm: Confirm = None,
        yes: Yes = False,
        reason: Reason = None,
        as_json: Json = False,
    ) -> None:
        act(
            ctx,
            f"/toggles/{key}/{name}",
            action=f"{name} toggle {key}",
            yes=yes,
            reason=reason,
            as_json=as_json,
            confirm=confirm,
        )

    app.command(name, help=what)(step)


_step("enable", "Let a toggle's rules hold.")
_step("disable", "Give everyone the default, at once.")
_step("rollback", "Put back what the last edit replaced.")


@app.command()
def delete(ctx: typer.Context, *, key: Key, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Delete a toggle that is off and that no other asks for."""
    act(
        ctx,
        f"/toggles/{key}",
        action=f"delete toggle {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        method="delete",
    )
