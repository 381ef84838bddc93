"""Configuration: every key, its value and where it comes from."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, loaded, noun
from fairlead.console import emit

app = noun("config", "Configuration: show.")


@app.command()
def show(
    ctx: typer.Context,
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    as_json: Json = False,
) -> None:
    """Show every key and its value; secrets masked."""
    rows = loaded(ctx).shown()
    emit(rows, as_json=as_json, columns=("key", "value", *(("origin",) if origin else ()), "what"))
