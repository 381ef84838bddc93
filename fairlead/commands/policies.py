"""Policies: versions, differences, drafts, rollouts, rollback and the kill switch."""

from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Reason, Yes, act, condition, control, document, noun, settings
from fairlead.console import agreed, emit

app = noun("policy", "Policies: versions, diff, draft, card, submit, approve, activate, rollback, kill.")
Key = Annotated[str, typer.Argument(help="The policy's key.")]
Version = Annotated[int, typer.Argument(help="The version's number.")]
Percent = Annotated[float, typer.Option("--percent", min=0, max=100, help="The share of subjects that get it.")]
Segment = Annotated[str | None, typer.Option("--segment", help="A condition (JSON) over the context: who may get it.")]


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List policies."""
    rows = control(ctx).get("/policies")["policies"]
    emit(rows, as_json=as_json, columns=("key", "surface", "stable", "previous", "rollout"))


@app.command()
def versions(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """List a policy's versions."""
    view = control(ctx).get(f"/policies/{key}")
    emit(view["versions"], as_json=as_json, columns=("version", "state", "author", "note", "digest"))


@app.command()
def show(
    ctx: typer.Context,
    *,
    key: Key,
    version: Annotated[int | None, typer.Argument(help="A version's number; the whole policy without one.")] = None,
    as_json: Json = False,
) -> None:
    """Show a policy, or one version's document."""
    path = f"/policies/{key}" if version is None else f"/policies/{key}/versions/{version}"
    emit(control(ctx).get(path), as_json=as_json)


@app.command()
def diff(
    ctx: typer.Context,
    *,
    key: Key,
    old: Annotated[int, typer.Argument(help="The version to compare from.")],
    new: Annotated[int, typer.Argument(help="The version to compare to.")],
    as_json: Json = False,
) -> None:
    """Show what differs between two versions, by field and in words."""
    found = control(ctx).get(f"/policies/{key}/diff", **{"from": old, "to": new})
    emit(found if as_json else found["fields"], as_json=as_json, columns=("path", "sentence"))


@app.command()
def create(
    ctx: typer.Context,
    *,
    key: Key,
    surface: Annotated[str, typer.Option("--surface", help="The surface that it governs.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Create a policy for a surface."""
    body = {"key": key, "surface": surface}
    act(ctx, "/policies", action=f"create policy {key}", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def validate(
    ctx: typer.Context,
    *,
    key: Key,
    source: Annotated[str, typer.Argument(help="A JSON file with the policy's document, or - for stdin.")],
    as_json: Json = False,
) -> None:
    """Check a document without writing it; exit 2 where something is wrong."""
    found = control(ctx).post(f"/policies/{key}/validate", {"document": document(source)})
    emit(found if as_json else found["problems"], as_json=as_json, columns=("field", "message"))
    if found["problems"]:
        raise typer.Exit(2)


@app.command()
def draft(
    ctx: typer.Context,
    *,
    key: Key,
    source: Annotated[str, typer.Argument(help="A JSON file with the policy's document, or - for stdin.")],
    note: Annotated[str, typer.Option("--note", help="What this version is about.")] = "",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Write a new version, as a draft."""
    act(
        ctx,
        f"/policies/{key}/versions",
        action=f"write a version of {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"document": document(source), "note": note},
    )


@app.command()
def card(
    ctx: typer.Context,
    *,
    key: Key,
    version: Version,
    source: Annotated[
        str | None, typer.Option("--write", help="A JSON file with the card (intended_use, limits, owner, …), or -.")
    ] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Show a version's card as Markdown, or write it; without one no version leaves draft."""
    path = f"/policies/{key}/versions/{version}/card"
    if source is None:
        found = control(ctx).get(path)
        for text in [found] if as_json else found["markdown"].splitlines():
            emit(text, as_json=as_json)
        return
    act(
        ctx,
        path,
        action=f"write the card of version {version} of {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"card": document(source)},
        method="put",
    )


def _payload(version: int, percent: float, segment: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {"version": version, "percent": percent}
    who = condition(segment)
    return payload if who is None else {**payload, "segment": who}


@app.command()
def submit(
    ctx: typer.Context,
    *,
    key: Key,
    version: Version,
    percent: Percent = 100,
    steps: Annotated[
        str | None, typer.Option("--steps", help="A whole plan under one approval, such as 5,25,100.")
    ] = None,
    segment: Segment = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Propose a rollout and ask for review; somebody else approves it."""
    why = agreed(yes=yes, reason=reason, action=f"submit version {version} of {key} for review")
    payload = _payload(version, percent, segment)
    if steps is not None:
        payload = {**payload, "steps": [float(step) for step in steps.split(",")]}
        del payload["percent"]
    client = control(ctx)
    change = client.post("/changes", {"kind": "policy.rollout", "key": key, "payload": payload, "reason": why})
    emit(client.post(f"/changes/{change['change_id']}/submit", {"reason": why}), as_json=as_json)


@app.command()
def approve(
    ctx: typer.Context,
    *,
    change_id: Annotated[str, typer.Argument(help="The change that `policy submit` named.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Approve a change that somebody else wrote."""
    path = f"/changes/{change_id}/approve"
    act(ctx, path, action=f"approve change {change_id}", yes=yes, reason=reason, as_json=as_json)


@app.command()
def activate(
    ctx: typer.Context,
    *,
    key: Key,
    version: Version,
    percent: Percent = 100,
    segment: Segment = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Roll a version out; exit 7 where a second person must agree first (then: policy submit)."""
    act(
        ctx,
        f"/policies/{key}/rollout",
        action=f"roll version {version} of {key} out to {percent:g} %",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body=_payload(version, percent, segment),
        confirm=key,
    )


@app.command()
def rollback(ctx: typer.Context, *, key: Key, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Go back to the last good version: one step, at once."""
    act(ctx, f"/policies/{key}/rollback", action=f"roll {key} back", yes=yes, reason=reason, as_json=as_json)


@app.command()
def kill(
    ctx: typer.Context,
    *,
    off: Annotated[bool, typer.Option("--off", help="Lift the kill switch.")] = False,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Give everyone the default experience, at once; --off lifts it."""
    act(
        ctx,
        "/kill",
        action="lift the kill switch" if off else "turn the kill switch on",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"on": not off},
        confirm=settings(ctx).environment,
    )
