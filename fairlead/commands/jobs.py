"""Jobs: heavy work as child processes; ask for one, look at one, or run one here."""

import time
from typing import Annotated, Any

import typer

from dashboard.control import ControlClient
from fairlead.commands.options import Json, Limit, Reason, control, noun, settings
from fairlead.console import emit, say
from storage.errors import FairleadError, Invalid

app = noun("job", "Heavy work: request, list, show, run.")
Arguments = Annotated[
    list[str] | None, typer.Option("--argument", "-a", help="NAME=VALUE, as often as needed; VALUE may be JSON.")
]
POLL_S = 0.5


def arguments_of(pairs: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE pairs; a value that is JSON is taken as such.

    >>> arguments_of(["campaign=men", "days=7"])
    {'campaign': 'men', 'days': 7}
    """
    import orjson

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise Invalid("an argument is NAME=VALUE, such as --argument campaign=men")
        try:
            found[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[name] = text
    return found


def requested(ctx: typer.Context, name: str, *, pairs: list[str], wait: bool, reason: str | None) -> dict[str, Any]:
    """Ask control for a job and, if wanted, wait until it ended."""
    client = control(ctx)
    body = {"name": name, "arguments": arguments_of(pairs), "reason": reason or "requested on the command line"}
    job: dict[str, Any] = client.post("/jobs", body)
    say(f"job {job['job_id']} ({name}) is {job['state']}")
    return ended(client, job) if wait else job


def ended(client: ControlClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until a job ended well."""
    while job["state"] in {"queued", "running"}:
        time.sleep(POLL_S)
        job = client.get(f"/jobs/{job['job_id']}")
    if job["state"] == "failed":
        raise FairleadError(f"job {job['job_id']} failed: {job['error']}")
    return job


@app.command()
def request(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The job's name.")],
    arguments: Arguments = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it ended.")] = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Ask control to run a job."""
    emit(requested(ctx, name, pairs=arguments or [], wait=wait, reason=reason), as_json=as_json)


@app.command("list")
def listed(ctx: typer.Context, *, limit: Limit = 50, as_json: Json = False) -> None:
    """List jobs, newest first."""
    rows = control(ctx).get("/jobs")["jobs"][:limit]
    emit(rows, as_json=as_json, columns=("job_id", "name", "state", "requested_by", "created_at", "error"))


@app.command()
def show(
    ctx: typer.Context, *, job_id: Annotated[str, typer.Argument(help="The job's id.")], as_json: Json = False
) -> None:
    """Show one job."""
    emit(control(ctx).get(f"/jobs/{job_id}"), as_json=as_json)


@app.command()
def run(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="train, retrain, fairness, drift, …")],
    arguments: Arguments = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of retrain: minor (hourly) or major (daily).")] = None,
    as_json: Json = False,
) -> None:
    """Run a job here and now, in a child process with its limits; what cron or Airflow call."""
    from fairlead.jobs import run_now

    named = arguments_of(arguments or []) | ({} if kind is None else {"kind": kind})
    emit(run_now(settings(ctx), name, named), as_json=as_json)


@app.command(hidden=True)
def execute(ctx: typer.Context, *, job_id: str) -> None:
    """Do the work of a claimed job; the runner's child process."""
    from fairlead.jobs import execute as work

    raise typer.Exit(work(settings(ctx), job_id))
