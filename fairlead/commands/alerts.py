"""Alerts: what fires, what is done about it, and the budgets of objectives."""

from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Limit, Reason, Yes, act, control, noun
from fairlead.console import emit

app = noun(
    "alert", "Alerts: list, show, ack, silence, lift, resolve, test; slos. Exit 6 where one fires that nobody answers."
)
AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, from `alert list`.")]


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="So many days back.")] = 7,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List alerts, what fires first; exit 6 where one fires that nobody has acknowledged or silenced."""
    found = control(ctx).get("/alerts", days=days, limit=limit)
    rows = [{**one, "since_at": one["since"]} for one in found["alerts"]]
    columns = ("alert_id", "state", "severity", "title", "since_at", "sentence")
    emit(found if as_json else rows, as_json=as_json, columns=columns)
    if found["firing"]:
        raise typer.Exit(6)


@app.command()
def show(ctx: typer.Context, *, alert: AlertId, as_json: Json = False) -> None:
    """Show one alert: what it says, who was told, and what to do."""
    found: dict[str, Any] = control(ctx).get(f"/alerts/{alert}")
    if as_json:
        emit(found, as_json=True)
        return
    names = ("title", "state", "severity", "sentence", "top", "slo", "acked_by", "acked_why", "resolved_why", "figures")
    emit({name: found[name] for name in names} | found["runbook"], as_json=False)
    emit(found["deliveries"], as_json=False, columns=("destination", "occasion", "state", "attempts", "trouble"))


@app.command()
def ack(ctx: typer.Context, *, alert: AlertId, reason: Reason = None, yes: Yes = False, as_json: Json = False) -> None:
    """Say that you look after it; nothing more is sent until it is over or becomes graver."""
    action = f"acknowledge alert {alert}"
    act(ctx, f"/alerts/{alert}/acknowledge", action=action, yes=yes, reason=reason, as_json=as_json)


@app.command()
def silence(
    ctx: typer.Context,
    *,
    alert: AlertId,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1440, help="For how long; 60 at most for consent.")],
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send nothing of it for so many minutes; it is shown all the same."""
    action = f"silence alert {alert} for {minutes} minutes"
    body = {"minutes": minutes}
    act(ctx, f"/alerts/{alert}/silence", action=action, yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def lift(ctx: typer.Context, *, alert: AlertId, reason: Reason = None, yes: Yes = False, as_json: Json = False) -> None:
    """End its silence now."""
    act(ctx, f"/alerts/{alert}/lift", action=f"lift its silence from {alert}", yes=yes, reason=reason, as_json=as_json)


@app.command()
def resolve(
    ctx: typer.Context, *, alert: AlertId, reason: Reason = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Close it by hand; what is still true fires again."""
    act(ctx, f"/alerts/{alert}/resolve", action=f"close alert {alert}", yes=yes, reason=reason, as_json=as_json)


@app.command()
def test(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The kind of alert, such as errors or slo.")] = "slo",
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send a marked test to everyone who would be told."""
    body = {"name": name}
    act(ctx, "/alerts/test", action=f"send a test of {name}", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def slos(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the objectives: what is left of each budget, and how fast it burns."""
    found = control(ctx).get("/slos")
    rows = [
        {
            "key": one["slo"]["key"],
            "objective": one["slo"]["objective"],
            "current": one["current"],
            "n": one["valid"],
            "left": one["left"],
            **{f"burn_{span}": burn["long"] for span, burn in zip(("1h", "6h", "3d"), one["burns"], strict=False)},
        }
        for one in found["slos"]
    ]
    columns = ("key", "objective", "current", "n", "left", "burn_1h", "burn_6h", "burn_3d")
    emit(found if as_json else rows, as_json=as_json, columns=columns)
