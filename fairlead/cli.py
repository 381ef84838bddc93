"""The command line: ``fairlead``."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead import __version__
from fairlead.commands import (
    alerts,
    audits,
    bench,
    campaigns,
    caps,
    catalogue,
    changes,
    checks,
    config,
    consents,
    database,
    doctor,
    emergencies,
    fleet,
    imports,
    insights,
    jobs,
    ledger,
    metrics,
    models,
    offpolicy,
    policies,
    roles,
    rollouts,
    rules,
    run,
    segments,
    subjects,
    toggles,
    tokens,
    whatif,
)
from fairlead.console import complain
from storage.errors import FairleadError

app = typer.Typer(
    name="fairlead",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Real-time personalization with its governance. Data goes to stdout, talk to stderr. Exit codes: 0 ok, "
    "1 failure, 2 usage, 3 not found, 4 permission, 5 conflict, 6 unhealthy, 7 needs approval.",
)

for command in (
    run.up,
    run.prepare,
    run.engine,
    run.control,
    run.dashboard,
    run.traffic,
    run.login,
    doctor.doctor,
    models.train,
    offpolicy.offpolicy,
    whatif.whatif,
    fleet.replicas,
    fleet.replay,
):
    app.command()(command)

for group in (
    campaigns,
    caps,
    policies,
    rollouts,
    rules,
    toggles,
    changes,
    emergencies,
    checks,
    alerts,
    consents,
    tokens,
    roles,
    jobs,
    audits,
    models,
    ledger,
    metrics,
    config,
    database,
    imports,
    catalogue,
    bench,
    segments,
    subjects,
    insights,
):
    app.add_typer(group.app)
app.add_typer(insights.figures)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option("--home", help="The folder that holds all data.")] = None,
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the flags that hold for every command."""
    flags: dict[str, Any] = {"home": home}
    ctx.obj = {key: value for key, value in flags.items() if value is not None}


def main() -> None:
    """Run one command; an error of the tree becomes its message and its exit code."""
    try:
        app(prog_name="fairlead")
    except FairleadError as error:
        sys.exit(complain(error))
