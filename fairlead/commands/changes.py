"""Changes: what is proposed, who agreed, and the steps of a change's life."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun
from fairlead.console import emit

app = noun("change", "Proposed changes: list, show, submit, approve, reject, withdraw, apply.")
Change = Annotated[str, typer.Argument(metavar="CHANGE", help="The change's id.")]


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    state: Annotated[str | None, typer.Option("--state", help="Only those in this state.")] = None,
    as_json: Json = False,
) -> None:
    """List changes."""
    rows = control(ctx).get("/changes", state=state)["changes"]
    emit(rows, as_json=as_json, columns=("change_id", "kind", "object_key", "state", "level", "author", "approvals"))


@app.command()
def show(ctx: typer.Context, *, change: Change, as_json: Json = False) -> None:
    """Show one change."""
    emit(control(ctx).get(f"/changes/{change}"), as_json=as_json)


def _step(name: str, what: str) -> None:
    def step(
        ctx: typer.Context, *, change: Change, yes: Yes = False, reason: Reason = None, as_json: Json = False
    ) -> None:
        key = control(ctx).get(f"/changes/{change}")["object_key"] if name == "apply" else None
        act(
            ctx,
            f"/changes/{change}/{name}",
            action=f"{name} change {change}",
            yes=yes,
            reason=reason,
            as_json=as_json,
            confirm=key,
        )

    app.command(name, help=what)(step)


_step("submit", "Ask for review.")
_step("approve", "Agree to a change that somebody else wrote.")
_step("reject", "Turn a change down.")
_step("withdraw", "Take your own change back.")
_step("apply", "Do what was approved; of a rollout plan, the next step.")
