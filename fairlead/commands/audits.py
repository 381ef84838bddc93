"""Audits: fairness and drift runs and what they found."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands import drift_watch, fairness_plans
from fairlead.commands.drift import drift
from fairlead.commands.fairness import fairness
from fairlead.commands.jobs import requested
from fairlead.commands.ledger import Out, keep
from fairlead.commands.options import Json, Reason, control, noun
from fairlead.console import emit

app = noun("audit", "Fairness and drift audits: list, show, run; also of tables of your own.")
app.command()(drift)
for watching in (drift_watch.reference, drift_watch.looks, drift_watch.accept, drift_watch.withdraw):
    app.command()(watching)
app.command()(fairness)
app.command()(fairness_plans.sensitive)
app.add_typer(fairness_plans.app)


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="fairness or drift.")] = None,
    as_json: Json = False,
) -> None:
    """List audit runs, newest first."""
    rows = control(ctx).get("/audits", kind=kind)["audits"]
    emit(rows, as_json=as_json, columns=("audit_id", "kind", "at", "verdict", "sentence"))


@app.command()
def show(
    ctx: typer.Context,
    *,
    audit_id: Annotated[str, typer.Argument(help="The audit's id.")],
    as_json: Json = False,
) -> None:
    """Show one audit."""
    emit(control(ctx).get(f"/audits/{audit_id}"), as_json=as_json)


@app.command()
def evidence(
    ctx: typer.Context,
    *,
    audit_id: Annotated[str, typer.Argument(help="The audit's id.")],
    out: Out = Path("audit.zip"),
) -> None:
    """Write one audit with its files as a bundle that anyone checks with the public key alone."""
    keep(out, control(ctx).download(f"/audits/{audit_id}/evidence"))


@app.command()
def run(
    ctx: typer.Context,
    *,
    kind: Annotated[str, typer.Argument(help="fairness or drift.")],
    arguments: Annotated[list[str] | None, typer.Option("--argument", "-a", help="NAME=VALUE, as often as needed.")] = (
        None
    ),
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it ended.")] = True,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Ask control to run an audit as a job."""
    emit(requested(ctx, kind, pairs=arguments or [], wait=wait, reason=reason), as_json=as_json)
