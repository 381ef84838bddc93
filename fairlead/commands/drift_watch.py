"""The watch over drift from the command line: what is normal, what windows showed, what is accepted."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Limit, Reason, Yes, act, control
from fairlead.console import emit
from storage.records import clock

Surface = Annotated[str, typer.Argument(help="The surface's key.")]
Feature = Annotated[str, typer.Argument(help="The feature, as `fairlead audit looks` names it.")]
Days = Annotated[float, typer.Option("--days", min=0.01, max=90, help="How many days.")]


def reference(
    ctx: typer.Context,
    *,
    surface: Surface,
    days: Days = 7.0,
    origins: Annotated[str, typer.Option("--origins", help="live, simulated, imported, joined by commas.")] = "live",
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="FEATURE=MEASURE, or number=… and category=… for all.")
    ] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Say that the last days of a surface are normal; later windows are held against them."""
    from fairlead.commands.drift import pinned

    end = clock.now()
    plan = {
        "start": end - int(days * clock.DAY),
        "end": end,
        "origins": [name.strip() for name in origins.split(",") if name.strip()],
        "methods": pinned(methods or []),
    }
    act(
        ctx,
        "/audits/drift/references",
        action=f"set the reference of {surface}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"surface": surface, "reference": plan},
    )


def looks(ctx: typer.Context, *, surface: Surface, limit: Limit = 20, as_json: Json = False) -> None:
    """List what the windows of a surface showed, newest first."""
    found = control(ctx).get("/audits/drift/looks", surface=surface, limit=min(limit, 200))["looks"]
    emit(found, as_json=as_json, columns=("start", "end", "origin", "family", "reference", "verdict", "sentence"))


def accept(
    ctx: typer.Context,
    *,
    surface: Surface,
    feature: Feature,
    days: Days = 7.0,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Accept the drift of a feature for some days, or until the reference changes."""
    act(
        ctx,
        "/audits/drift/accept",
        action=f"accept the drift of {feature} on {surface}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"surface": surface, "feature": feature, "until": clock.now() + int(days * clock.DAY)},
    )


def withdraw(
    ctx: typer.Context,
    *,
    surface: Surface,
    feature: Feature,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Accept the drift of a feature no longer."""
    act(
        ctx,
        "/audits/drift/withdraw",
        action=f"accept the drift of {feature} on {surface} no longer",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"surface": surface, "feature": feature},
    )
