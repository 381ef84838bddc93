"""What runs: replicas and their receipts; and one decision replayed."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, control
from fairlead.console import emit, say


def replicas(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show on how many replicas the newest revision is live."""
    found = control(ctx).get("/replicas")
    if as_json:
        emit(found, as_json=True)
        return
    say(found["sentence"])
    columns = ("replica", "url", "revision", "consent_epoch", "ready", "fresh", "at")
    emit(found["replicas"], as_json=False, columns=columns)


def replay(
    ctx: typer.Context,
    *,
    decision_id: Annotated[str, typer.Argument(metavar="DECISION", help="The decision's id.")],
    as_json: Json = False,
) -> None:
    """Compute a logged decision again from its record; exit 6 where it differs."""
    found = control(ctx).get(f"/decisions/{decision_id}/replay")
    emit(found, as_json=as_json)
    if found["verdict"] == "mismatch":
        raise typer.Exit(6)
