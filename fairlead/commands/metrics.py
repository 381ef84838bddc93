"""Metrics for other people's monitoring: what there is, Prometheus rules and configuration, a Grafana dashboard."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.options import Json, noun, settings
from fairlead.console import emit, say
from fairlead.monitoring import grafana as board
from fairlead.monitoring import rules as ruled
from fairlead.monitoring.registry import registry, unit

app = noun("metrics", "Metrics for Prometheus and Grafana: list, rules, scrape, grafana.")


@app.command("list")
def listed(*, as_json: Json = False) -> None:
    """List every metric of engine and control: kind, unit, labels, what it tells."""
    rows = [
        {
            "name": family.name,
            "process": job.removeprefix("fairlead-"),
            "kind": family.kind,
            "unit": unit(family),
            "labels": ", ".join(family.labels),
            "what": family.text,
        }
        for job, families in registry().items()
        for family in families
    ]
    emit(rows, as_json=as_json)


@app.command()
def rules(*, as_json: Json = False) -> None:
    """Print recording and alerting rules as Prometheus loads them: save them as fairlead.rules.yaml."""
    document = ruled.rules()
    if as_json:
        emit(document, as_json=True)
        return
    typer.echo(ruled.written(document, "rules"), nl=False)


@app.command()
def scrape(
    ctx: typer.Context,
    *,
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="host:port of an engine; give it for each replica.")
    ] = None,
    control: Annotated[str | None, typer.Option("--control", help="host:port of control.")] = None,
    token_file: Annotated[
        Path, typer.Option("--token-file", help="The file that holds a token with the scope metrics:read.")
    ] = Path("fairlead.token"),
    as_json: Json = False,
) -> None:
    """Print a Prometheus configuration for this installation; it reads its token from a file."""
    found = settings(ctx)
    document = ruled.scraping(
        engines=engine or [f"{found.host}:{found.engine_port}"],
        control=control or f"{found.host}:{found.control_port}",
        environment=found.environment,
        token_file=str(token_file),
    )
    if as_json:
        emit(document, as_json=True)
        return
    typer.echo(ruled.written(document, "scrape"), nl=False)
    say(f"put a token into {token_file}: fairlead token create --name prometheus --scopes metrics:read")


@app.command()
def grafana(*, as_json: Json = True) -> None:
    """Print the Grafana dashboard, always as JSON: import it, and choose the Prometheus that scrapes Fairlead."""
    emit(board.dashboard(), as_json=as_json)
