"""What runs: everything at once, or one process of it."""

import signal
import sys
from typing import Annotated

import typer

from fairlead.commands.options import Json, settings
from fairlead.console import emit

Lifeline = Annotated[int | None, typer.Option("--lifeline", hidden=True, help="Stop when this file descriptor closes.")]


def up(
    ctx: typer.Context,
    *,
    replicas: Annotated[int | None, typer.Option("--replicas", min=1, max=64, help="How many engines.")] = None,
    postgres: Annotated[
        str | None, typer.Option("--postgres", metavar="URL", help="Control state in PostgreSQL instead of SQLite.")
    ] = None,
    redis: Annotated[
        str | None, typer.Option("--redis", metavar="URL", help="What is known of people in Redis, for all replicas.")
    ] = None,
    traffic: Annotated[
        bool | None, typer.Option("--traffic/--no-traffic", help="Drive paced requests from logged contexts.")
    ] = None,
    traffic_rate: Annotated[float | None, typer.Option("--traffic-rate", min=0.01, help="Requests a second.")] = None,
    story: Annotated[
        bool | None, typer.Option("--story/--no-story", help="First live through thirty simulated days, once.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run engine, control and dashboard under one supervisor, and print one URL."""
    from fairlead.supervisor import up as run

    chosen = settings(
        ctx,
        replicas=replicas,
        database_url=postgres,
        redis_url=redis,
        traffic=traffic,
        traffic_rate=traffic_rate,
        story=story,
    )
    raise typer.Exit(run(chosen, as_json=as_json))


def prepare(ctx: typer.Context) -> None:
    """Bring an installation to where it can serve, and start nothing: schema, keys, demo, data, a model."""
    from fairlead.supervisor import prepare as work

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what it started is then ended, and noted
    work(settings(ctx))


def engine(
    ctx: typer.Context,
    *,
    replica: Annotated[int, typer.Option("--replica", min=0, help="Its number: port + k, its own log.")] = 0,
    lifeline: Lifeline = None,
) -> None:
    """Run one engine."""
    from fairlead.processes import run_engine

    raise typer.Exit(run_engine(settings(ctx), replica=replica, lifeline=lifeline))


def control(ctx: typer.Context, *, lifeline: Lifeline = None) -> None:
    """Run control: its API, the schedule and the jobs."""
    from fairlead.processes import run_control

    run_control(settings(ctx), lifeline=lifeline)


def dashboard(ctx: typer.Context, *, lifeline: Lifeline = None) -> None:
    """Run the dashboard."""
    from fairlead.processes import run_dashboard

    raise typer.Exit(run_dashboard(settings(ctx), lifeline=lifeline))


def traffic(
    ctx: typer.Context,
    *,
    rate: Annotated[float | None, typer.Option("--rate", min=0.01, help="Requests a second.")] = None,
    lifeline: Lifeline = None,
) -> None:
    """Drive paced requests from logged contexts through the public API; all of it is marked simulated."""
    from fairlead.traffic import run

    raise typer.Exit(run(settings(ctx, traffic_rate=rate), lifeline=lifeline))


def login(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Print a fresh one-time link to the dashboard; it holds for ten minutes."""
    from fairlead.supervisor import login_link

    link = login_link(settings(ctx))
    emit({"url": link} if as_json else link, as_json=as_json)
