"""What a policy would have earned on what was logged: ``fairlead offpolicy``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json
from fairlead.console import emit, say
from storage.errors import Invalid

TOLD = 10


def offpolicy(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="A log of one's own: CSV or Parquet, one row per thing shown.")
    ] = None,
    reward: Annotated[str | None, typer.Option("--reward", help="Column: what came of it, such as 0 or 1.")] = None,
    logged: Annotated[
        str | None, typer.Option("--logged", help="Column: the probability with which it was done.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Column: the target policy's probability of doing the same.")
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option("--features", "--feature", help="COL[,COL…] known before the choice; with them DR is told too."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Column that names rows which belong together, such as a person.")
    ] = None,
    clip: Annotated[float | None, typer.Option("--clip", help="The largest weight; off by default.")] = None,
    level: Annotated[float, typer.Option("--level", help="Coverage of the intervals.")] = 0.95,
    draws: Annotated[int, typer.Option("--draws", help="How often the rows are drawn again.")] = 4_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of draws and folds: same seed, same answer.")] = 1,
    as_json: Json = False,
) -> None:
    """Estimate what another policy would have earned on a log: IPS, SNIPS, DR, with intervals, or say why not."""
    if data is None or reward is None or logged is None or target is None:
        raise Invalid("offpolicy needs --data FILE --reward COL --logged COL --target COL")
    from governance.own_log import OwnLog, estimate_own
    from storage.records.document import parse

    asked = parse(
        OwnLog,
        {
            "reward": reward,
            "logged": logged,
            "target": target,
            "features": [name for each in features or [] for name in each.split(",") if name],
            "unit": unit,
            "clip": clip,
            "level": level,
            "draws": draws,
            "seed": seed,
        },
    )
    told(estimate_own(data, asked), as_json=as_json)


def told(found: dict[str, Any], *, as_json: bool) -> None:
    """Print an estimate; what was refused is told on stderr."""
    for row in found.get("refused", ())[:TOLD]:
        say(f"line {row['line']} refused: {row['field']} {row['message']}")
    if found.get("refused_rows", 0) > TOLD:
        say(f"{found['refused_rows']} rows refused; --json lists them")
    if as_json:
        emit(found, as_json=True)
        return
    rows = [
        {"estimator": name, "value": f"{found[name]:.5g}", "interval": "{:.5g} to {:.5g}".format(*interval)}
        for name in ("ips", "snips", "dr")
        if (interval := found["intervals"].get(name))
    ]
    kept = found["logged"]
    said = f"{kept['low']:.5g} to {kept['high']:.5g}"
    emit([*rows, {"estimator": "as logged", "value": f"{kept['value']:.5g}", "interval": said}], as_json=False)
    shown = ("n", "ess", "mean_weight", "max_weight", "unsupported_share", "clipped_share")
    emit({name: float(f"{found[name]:.6g}") for name in shown}, as_json=False)
    say(f"{found['verdict']}: {found['sentence']}")
