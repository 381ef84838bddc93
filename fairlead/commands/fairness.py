"""The fairness audit from the command line: of what the product decided, or of a table of one's own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.jobs import requested
from fairlead.commands.options import Json, Reason
from fairlead.console import emit, say
from storage.errors import Invalid

RATES = ("selection_rate", "tpr", "fpr", "accuracy")
Columns = Annotated[str | None, typer.Option("--by", help="Columns of the groups, joined by commas.")]


def fairness(
    ctx: typer.Context,
    *,
    data: Annotated[Path | None, typer.Option("--data", help="A CSV or Parquet file of your own.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="The column that holds what was true.")] = None,
    prediction: Annotated[str | None, typer.Option("--prediction", help="The column that holds the answer.")] = None,
    by: Columns = None,
    control: Annotated[str | None, typer.Option("--control", help="Compare rows alike in this column.")] = None,
    positive: Annotated[str | None, typer.Option("--positive", help="The value that counts as yes.")] = None,
    threshold: Annotated[float, typer.Option("--threshold", help="A predicted chance from here on is a yes.")] = 0.5,
    min_group: Annotated[int, typer.Option("--min-group", min=2, help="Smaller groups are listed, not judged.")] = 100,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Without --data: wait until it ended.")] = True,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Audit fairness: a table of your own with --data, what was decided here without."""
    names = [name.strip() for name in (by or "").split(",") if name.strip()]
    if data is None:
        if label or prediction or control:
            raise Invalid("--label, --prediction and --control are columns of a table; name it with --data")
        pairs = [f"min_group={min_group}"]
        if names:
            import orjson

            pairs.append(f"attributes={orjson.dumps(names).decode()}")
        emit(requested(ctx, "fairness", pairs=pairs, wait=wait, reason=reason), as_json=as_json)
        return
    if not prediction or not names:
        raise Invalid("a table needs --prediction COL and --by COL[,COL…]; --label COL tells what was true")
    from governance.checks.table import Asked, audit_table
    from storage.own_table import own_table

    asked = Asked(
        prediction=prediction,
        by=tuple(names),
        label=label,
        control=control,
        positive=positive,
        threshold=threshold,
        min_group=min_group,
    )
    found = audit_table(own_table(data, asked.columns), asked)
    if as_json:
        emit(found, as_json=True)
        return
    for part in (*found["attributes"], found):
        emit([_row(group) for group in part["groups"]], as_json=False)
        say("")
    say(f"yes is {', '.join(f'{name} {value}' for name, value in found['positive'].items())}")
    say(found["sentence"])
    if found["needed_n"] is not None:
        say(f"about {found['needed_n']:,} rows in all, with the groups as they are, would tell")


def _row(group: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {**group["by"], "n": f"{group['n']:,}"}
    for name in RATES:
        if name in group["interval"]:
            shown[name] = _range(group[name], group["interval"][name])
    return shown | ({"": "too small to judge"} if group["too_small"] else {"": ""})


def _range(value: float | None, interval: list[float] | None) -> str:
    """Return a rate with its interval, in percent; nobody to compute it on is no rate.

    >>> _range(0.02, [0.01, 0.04]), _range(0.0, None)
    ('2.0 (1.0 to 4.0)', 'unknown')
    """
    if value is None or interval is None:
        return "unknown"
    return f"{100 * value:.1f} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
