"""The drift audit from the command line: of what the product decided, or of two tables of one's own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.jobs import requested
from fairlead.commands.options import Json, Reason
from fairlead.console import emit, say
from storage.errors import Invalid

LIGHTS = {None: "too few rows", True: "yes", False: "no"}


def drift(
    ctx: typer.Context,
    *,
    reference: Annotated[Path | None, typer.Option("--reference", help="CSV or Parquet: what was normal.")] = None,
    current: Annotated[Path | None, typer.Option("--current", help="CSV or Parquet: what is to be judged.")] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="COLUMN=MEASURE, or number=… and category=… for all: psi_deciles, psi_levels, chisquare, ks, "
            "wasserstein, jensenshannon, psi.",
        ),
    ] = None,
    features: Annotated[str | None, typer.Option("--features", help="Only these columns, joined by commas.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Without files: wait until it ended.")] = True,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Audit drift: two tables of your own with --reference and --current, what was decided here without."""
    import orjson

    measures = pinned(methods or [])
    names = [name.strip() for name in (features or "").split(",") if name.strip()]
    if reference is None and current is None:
        pairs = [f"{name}={orjson.dumps(value).decode()}" for name, value in _asked(measures, names).items()]
        emit(requested(ctx, "drift", pairs=pairs, wait=wait, reason=reason), as_json=as_json)
        return
    if reference is None or current is None:
        raise Invalid("two tables are compared; name both with --reference FILE and --current FILE")
    from governance.checks.own_windows import audit_windows
    from storage.own_columns import OwnColumns

    found = audit_windows(OwnColumns(reference), OwnColumns(current), methods=measures, features=names)
    if as_json:
        emit(found, as_json=True)
        return
    emit([_row(row) for row in found["features"]], as_json=False)
    say(found["sentence"])


def _asked(measures: dict[str, str], names: list[str]) -> dict[str, Any]:
    return {name: value for name, value in (("methods", measures), ("features", names)) if value}


def pinned(pairs: list[str]) -> dict[str, str]:
    """Read COLUMN=MEASURE pairs; a column's name may hold an equals sign.

    >>> pinned(["price=wasserstein", "a=b=ks"])
    {'price': 'wasserstein', 'a=b': 'ks'}
    """
    found = {}
    for pair in pairs:
        name, equals, method = pair.rpartition("=")
        if not equals or not name:
            raise Invalid("a measure is pinned as COLUMN=MEASURE, such as --method price=wasserstein")
        found[name] = method
    return found


def _row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "feature": row["feature"],
        "red": "RED" if row["red"] else "",
        "method": row["method"],
        "effect": f"{row['effect']:.4f}",
        "threshold": f"{row['threshold']:.4f}",
        "p": f"{row['p_value']:.2g}",
        "beyond chance": LIGHTS[row["statistical"]],
        "material": LIGHTS[row["material"]],
    }
