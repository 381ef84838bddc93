"""Campaigns: list, show, create, and the steps of their life."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun
from fairlead.console import emit

app = noun("campaign", "Campaigns: list, show, create, start, pause, resume, end.")
Key = Annotated[str, typer.Argument(help="The campaign's key.")]


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List campaigns."""
    campaigns = control(ctx).get("/campaigns")["campaigns"]
    rows = campaigns if as_json else [view["campaign"] for view in campaigns]
    emit(rows, as_json=as_json, columns=("key", "name", "status", "surfaces", "zone", "goal"))


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one campaign."""
    view = control(ctx).get(f"/campaigns/{key}")
    emit(view if as_json else view["campaign"], as_json=as_json)


@app.command()
def create(
    ctx: typer.Context,
    *,
    source: Annotated[str, typer.Argument(help="A JSON file with the campaign, or - for stdin.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Create a campaign, as a draft."""
    act(
        ctx,
        "/campaigns",
        action="create the campaign",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"campaign": document(source)},
    )


def _step(name: str, what: str) -> None:
    def step(ctx: typer.Context, *, key: Key, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
        act(
            ctx,
            f"/campaigns/{key}/{name}",
            action=f"{name} campaign {key}",
            yes=yes,
            reason=reason,
            as_json=as_json,
            confirm=key,
        )

    app.command(name, help=what)(step)


_step("start", "Start a campaign.")
_step("pause", "Pause a campaign: one step, at once.")
_step("resume", "Let a paused campaign run again.")
_step("end", "End a campaign for good.")
