"""Fairness audits by the clock, and what people say of themselves for audits alone."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun
from fairlead.console import agreed, emit, say
from storage.errors import Invalid

app = noun("plan", "Fairness audits by the clock: list, show, create, edit, delete.")
Key = Annotated[str, typer.Argument(help="The plan's key.")]
Source = Annotated[str, typer.Argument(help="A JSON file with the plan, or - for stdin.")]
AT_ONCE = 1_000


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the audits that run by the clock."""
    plans = control(ctx).get("/fairness/plans")["plans"]
    rows = plans if as_json else [{**view["plan"], "by": view["plan"]["order"]["attributes"]} for view in plans]
    emit(rows, as_json=as_json, columns=("key", "title", "every_hours", "enabled", "by"))


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one plan, with what its last edit replaced."""
    view = control(ctx).get(f"/fairness/plans/{key}")
    emit(view if as_json else view["plan"], as_json=as_json)


@app.command()
def create(
    ctx: typer.Context, *, source: Source, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Create a plan; its first audit runs within a minute."""
    body = {"plan": document(source)}
    act(ctx, "/fairness/plans", action="plan the audit", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def edit(
    ctx: typer.Context, *, key: Key, source: Source, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Replace a plan as it stands now; how it judges is a second person's matter too."""
    act(
        ctx,
        f"/fairness/plans/{key}",
        action=f"edit the plan {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"plan": document(source)},
        confirm=key,
        method="put",
    )


@app.command()
def delete(ctx: typer.Context, *, key: Key, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Stop watching by a plan; its audits stay."""
    act(
        ctx,
        f"/fairness/plans/{key}",
        action=f"delete the plan {key}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        confirm=key,
        method="delete",
    )


def sensitive(
    ctx: typer.Context,
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="CSV or Parquet: a column subject, and one for each attribute.")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Where people were asked.")] = "file",
    drop: Annotated[str | None, typer.Option("--drop", help="Delete this attribute of everyone.")] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Tell which sensitive attributes are kept for audits alone; put some with --data, delete one with --drop."""
    client = control(ctx)
    if drop is not None:
        why = agreed(yes=yes, reason=reason, action=f"delete the attribute {drop} of everyone")
        emit(client.delete(f"/fairness/attributes/{drop}", {"reason": why}, etag=""), as_json=as_json)
        return
    if data is not None:
        why = agreed(yes=yes, reason=reason, action="keep what these people say of themselves")
        rows = _rows(data)
        for start in range(0, len(rows), AT_ONCE):
            body = {"rows": rows[start : start + AT_ONCE], "source": source, "reason": why}
            client.post("/fairness/attributes", body)
        say(f"{len(rows):,} statements are kept; no decision reads them")
    kept = client.get("/fairness/attributes")["attributes"]
    emit(kept, as_json=as_json, columns=("attribute", "people", "values"))


def _rows(data: Path) -> list[dict[str, str]]:
    from storage.tabular import format_of, rows

    found: list[dict[str, str]] = []
    for number, row in rows(data, format_of(data.name)):
        if isinstance(row, str) or not row.get("subject"):
            said = row if isinstance(row, str) else "names no subject"
            raise Invalid(f"row {number} {said}; nothing was kept")
        told = {name: value for name, value in row.items() if name != "subject" and value not in {None, ""}}
        found += [
            {"subject": str(row["subject"]), "attribute": name, "value": str(value)} for name, value in told.items()
        ]
    return found
