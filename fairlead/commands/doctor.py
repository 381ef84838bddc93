"""``fairlead doctor``: what is well and what is not, each with its remedy."""

import typer

from fairlead.commands.options import Json, loaded
from fairlead.console import emit


def doctor(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Check versions, configuration, disk, database, keys, replicas, ledger; exit 6 when a check fails."""
    from fairlead.checkup import examine

    found = examine(loaded(ctx))
    emit([finding.plain() for finding in found], as_json=as_json, columns=("verdict", "check", "found", "remedy"))
    if any(finding.verdict == "FAIL" for finding in found):
        raise typer.Exit(6)
