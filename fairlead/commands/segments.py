"""Segments: what they mean, how large they are; own ones written; what is told of one person."""

from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun
from fairlead.console import agreed, emit

app = noun("segment", "Segments of people: list, show, create, edit, delete; forecasts, person.")
Key = Annotated[str, typer.Argument(help="The segment's key.")]
Source = Annotated[str, typer.Argument(help="A JSON file with the segment's rule, or - for stdin.")]


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List segments with their sizes at the last census."""
    found = control(ctx).get("/segments")
    rows = [_row(view) for view in found["segments"]]
    emit(found if as_json else rows, as_json=as_json)


def _row(view: dict[str, Any]) -> dict[str, str]:
    sure = view["confidence"]
    return {
        "segment": view["key"],
        "kind": view["kind"],
        "people": "–" if view["people"] is None else f"{view['people']:,}",
        "confidence": "–" if sure is None else f"{sure:.2f}",
        "meaning": view["title"],
        "clicks": view["sentence"],
    }


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one segment: its rule, its size, and what asks for it."""
    found = control(ctx).get(f"/segments/{key}")
    emit(found if as_json else found["segment"] | {"rule": found["rule"], "used_by": found["used_by"]}, as_json=as_json)


@app.command()
def create(
    ctx: typer.Context, *, key: Key, source: Source, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Create a segment of your own; conditions may ask for it at once."""
    act(
        ctx,
        "/segments",
        action=f"create segment {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"key": key, "rule": document(source)},
    )


@app.command()
def edit(
    ctx: typer.Context, *, key: Key, source: Source, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Replace a segment's rule; a standard segment's too."""
    act(
        ctx,
        f"/segments/{key}",
        action=f"edit segment {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"rule": document(source)},
        method="put",
    )


@app.command()
def delete(ctx: typer.Context, *, key: Key, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Delete a segment of your own that nothing asks for; an edited standard one goes back to the standard."""
    act(
        ctx,
        f"/segments/{key}",
        action=f"delete segment {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        method="delete",
    )


@app.command()
def forecasts(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show the models of people in service, each with its proof beside the best one-line rule."""
    found = control(ctx).get("/analytics/forecasts")["forecasts"]
    emit(found, as_json=as_json, columns=("name", "version", "outcome", "proof", "calibration"))


@app.command()
def person(
    ctx: typer.Context,
    *,
    subject: Annotated[str, typer.Argument(help="The person's own id, as your app sends it.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Tell of one person: segments, churn, value, next action, and why; the look-up is in the ledger."""
    why = agreed(yes=yes, reason=reason, action="look this person up")
    found = control(ctx).post("/analytics/person", {"subject": subject, "reason": why})
    if as_json:
        emit(found, as_json=True)
        return
    told = {one["key"]: f"{one['confidence']:.2f}  {one['title']}" for one in found["segments"]}
    for name, one in found["forecasts"].items():
        told[name] = f"{_said(one['value'])} within {one['horizon_days']:.3g} days: " + "; ".join(
            factor["words"] for factor in one["factors"]
        )
    emit(told, as_json=False)


def _said(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
