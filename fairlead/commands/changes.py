"""Changes: what is proposed, who agreed, and the steps of a change's life."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun
from fairlead.console import emit

app = noun("change", "Proposed changes: list, show, diff, propose, submit, approve, reject, withdraw, schedule, apply.")
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


@app.command()
def diff(ctx: typer.Context, *, change: Change, as_json: Json = False) -> None:
    """Show what a change would do; where its object changed meanwhile, found, now and wanted side by side."""
    found = control(ctx).get(f"/changes/{change}/diff")
    if as_json or found["stale"]:
        emit(found if as_json else found["moved"], as_json=as_json, columns=("path", "found", "now", "wanted", "clash"))
        return
    emit([*found["fields"], *found["policy"]], as_json=False, columns=("path", "sentence"))


@app.command()
def propose(
    ctx: typer.Context,
    *,
    kind: Annotated[str, typer.Argument(help="What is to be done, such as toggle.edit.")],
    key: Annotated[str, typer.Argument(help="The key of the object.")],
    source: Annotated[str, typer.Argument(help="A JSON file with the payload, or - for stdin.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Write a change as a draft; what cannot be done is refused here already."""
    body = {"kind": kind, "key": key, "payload": document(source)}
    act(ctx, "/changes", action=f"propose {kind} of {key}", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def schedule(
    ctx: typer.Context,
    *,
    change: Change,
    at: Annotated[str, typer.Option("--at", help="When, as RFC 3339: 2026-11-27T06:00:00Z.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Let an approved change be applied by itself at a time; withdraw or reject calls it off."""
    key = control(ctx).get(f"/changes/{change}")["object_key"]
    act(
        ctx,
        f"/changes/{change}/schedule",
        action=f"apply change {change} at {at}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"at": at},
        confirm=key,
    )


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
