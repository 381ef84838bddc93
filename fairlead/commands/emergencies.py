"""Emergencies: declare one, list them, look at somebody else's."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun, settings
from fairlead.console import emit

app = noun("emergency", "Emergencies: half an hour of applying alone; list, declare, review.")


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List emergencies; those without a reviewer wait for somebody else."""
    found = control(ctx).get("/emergencies")
    columns = ("emergency_id", "principal", "reason", "deeds", "reviewed_by", "finding")
    emit(found if as_json else found["emergencies"], as_json=as_json, columns=columns)


@app.command()
def declare(ctx: typer.Context, *, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Apply changes without approvals for half an hour, irreversible ones excepted; somebody else looks at it then."""
    act(
        ctx,
        "/emergencies",
        action="apply changes alone for half an hour",
        yes=yes,
        reason=reason,
        as_json=as_json,
        confirm=settings(ctx).environment,
    )


@app.command()
def review(
    ctx: typer.Context,
    *,
    emergency: Annotated[str, typer.Argument(help="The emergency's id.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Close somebody else's emergency; the reason says what you found."""
    path = f"/emergencies/{emergency}/review"
    act(ctx, path, action="close this emergency", yes=yes, reason=reason, as_json=as_json)
