"""Imports of data sets into the lake."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.options import Json, noun, settings
from fairlead.console import emit

app = noun("import", "Data sets: open-bandit.")


@app.command("open-bandit")
def open_bandit(
    ctx: typer.Context,
    *,
    wheel: Annotated[
        Path | None, typer.Option("--wheel", help="The obp wheel, where it was fetched by other means.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import 60,000 logged impressions of a fashion shop; a second time changes nothing."""
    from fairlead.datasets import import_with_progress
    from fairlead.wiring import open_store

    emit(asdict(import_with_progress(open_store(settings(ctx)), wheel=wheel)), as_json=as_json)
