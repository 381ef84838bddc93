"""The commands of what is written whole: create, edit, turn on and off, put back, delete."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from fairlead.commands.options import Json, Reason, Yes, act, document

Confirm = Annotated[str | None, typer.Option("--confirm", help="The key again, where others' agreement is needed.")]


def add_edits(app: typer.Typer, noun: str, helps: Mapping[str, str], *, confirms: bool = False) -> None:
    """Add to ``app`` the commands named in ``helps`` for one kind of document, with what each says of itself.

    Where no ``--confirm`` is given, the command gives the key that it was told, if ``confirms``; otherwise control
    asks for it where it wants one.
    """

    def sure(confirm: str | None, key: Any) -> str | None:
        return str(key) if confirm is None and confirms else confirm

    source_of = Annotated[str, typer.Argument(help=f"A JSON file with the whole {noun}, or - for stdin.")]
    key_of = Annotated[str, typer.Argument(help=f"The {noun}'s key.")]

    def create(
        ctx: typer.Context,
        *,
        source: source_of,
        confirm: Confirm = None,
        yes: Yes = False,
        reason: Reason = None,
        as_json: Json = False,
    ) -> None:
        body = {noun: document(source)}
        action = f"create the {noun}"
        agreed = sure(confirm, body[noun].get("key", ""))
        act(ctx, f"/{noun}s", action=action, yes=yes, reason=reason, as_json=as_json, body=body, confirm=agreed)

    def edit(
        ctx: typer.Context,
        *,
        key: key_of,
        source: source_of,
        confirm: Confirm = None,
        yes: Yes = False,
        reason: Reason = None,
        as_json: Json = False,
    ) -> None:
        act(
            ctx,
            f"/{noun}s/{key}",
            action=f"edit {noun} {key}",
            yes=yes,
            reason=reason,
            as_json=as_json,
            body={noun: document(source)},
            confirm=sure(confirm, key),
            method="put",
        )

    def step(name: str, *, method: Literal["post", "delete"] = "post") -> Any:
        def taken(
            ctx: typer.Context,
            *,
            key: key_of,
            confirm: Confirm = None,
            yes: Yes = False,
            reason: Reason = None,
            as_json: Json = False,
        ) -> None:
            path = f"/{noun}s/{key}" + ("" if method == "delete" else f"/{name}")
            action = f"{name} {noun} {key}"
            agreed = sure(confirm, key)
            act(ctx, path, action=action, yes=yes, reason=reason, as_json=as_json, confirm=agreed, method=method)

        return taken

    commands = {
        "create": create,
        "edit": edit,
        "enable": step("enable"),
        "disable": step("disable"),
        "rollback": step("rollback"),
        "delete": step("delete", method="delete"),
    }
    for name, words in helps.items():
        app.command(name, help=words)(commands[name])
