"""The schema of the control database: where it stands, up, down."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, noun, settings
from fairlead.console import agreed, emit

app = noun("db", "The control database's schema: current, upgrade, downgrade.")


@app.command()
def current(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell whether the schema is the newest; exit 6 where it is not."""
    from fairlead.wiring import open_database
    from storage import migrations

    newest = migrations.is_current(open_database(settings(ctx)))
    emit({"current": newest}, as_json=as_json)
    if not newest:
        raise typer.Exit(6)


@app.command()
def upgrade(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Bring the schema up to the newest revision."""
    from fairlead.wiring import open_database
    from storage import migrations

    database = open_database(settings(ctx))
    migrations.upgrade(database)
    emit({"current": migrations.is_current(database)}, as_json=as_json)


@app.command()
def downgrade(
    ctx: typer.Context,
    *,
    to: Annotated[str, typer.Argument(help="The revision to go back to; base removes every table.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Take the schema back; what the older one cannot hold is lost."""
    from fairlead.wiring import open_database
    from storage import migrations

    agreed(yes=yes, reason=reason, action=f"take the schema back to {to}")
    database = open_database(settings(ctx))
    migrations.downgrade(database, to)
    emit({"current": migrations.is_current(database)}, as_json=as_json)
