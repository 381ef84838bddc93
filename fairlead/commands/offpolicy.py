"""What a policy would have earned on what was logged: ``fairlead offpolicy``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Reason
from fairlead.commands.whatif import PolicyKey, Until, VersionNumber, rehearsed, since_and_until
from fairlead.console import emit, say
from storage.errors import Invalid

TOLD = 10
ESTIMATORS = ("ips", "snips", "dr")


def offpolicy(
    ctx: typer.Context,
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="A log of one's own: CSV or Parquet, one row per thing shown.")
    ] = None,
    reward: Annotated[str | None, typer.Option("--reward", help="Column: what came of it, such as 0 or 1.")] = None,
    logged: Annotated[
        str | None, typer.Option("--logged", help="Column: the probability with which it was done.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target", help="Column: the target policy's probability of doing the same. With --log: a policy."
        ),
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
    policy: PolicyKey = None,
    version: VersionNumber = None,
    log: Annotated[
        str | None, typer.Option("--log", help="An imported policy whose log is read; --target: another, or uniform.")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Of this campaign alone.")] = None,
    start: Annotated[str | None, typer.Option("--since", help="From when: 24h, 7d, or an ISO instant.")] = None,
    end: Until = None,
    slate: Annotated[bool, typer.Option("--slate", help="Weights count the slots above too.")] = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Estimate what another policy would have earned: of a table (--data), of a version of a policy on logged traffic
    (--policy, --version), or of one imported policy by another's log (--log, --target)."""
    if data is not None:
        columns = {"reward": reward, "logged": logged, "target": target}
        how = {"unit": unit, "clip": clip, "level": level, "draws": draws, "seed": seed}
        told(_own(data, columns, features or [], how), as_json=as_json)
        return
    asked = {"campaign": campaign, "clip": clip, "seed": seed}
    if log is not None:
        asked |= {"log": log, "target": target or "uniform"}
    elif policy is not None:
        asked |= {"policy": policy, "version": version, "slate": slate, **since_and_until(start, end)}
    else:
        raise Invalid("offpolicy needs --data FILE, or --policy KEY --version N, or --log POLICY")
    run = rehearsed(ctx, "offpolicy", asked, reason=reason)
    if as_json:
        emit(run, as_json=True)
        return
    told(run["result"]["estimated"], as_json=False)
    say(run["sentence"])


def _own(data: Path, columns: Mapping[str, Any], features: list[str], how: Mapping[str, Any]) -> dict[str, Any]:
    if None in columns.values():
        raise Invalid("offpolicy --data needs --reward COL --logged COL --target COL")
    from governance.own_log import OwnLog, estimate_own
    from storage.records.document import parse

    names = [name for each in features for name in each.split(",") if name]
    return estimate_own(data, parse(OwnLog, {**columns, **how, "features": names}))


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
        for name in ESTIMATORS
        if (interval := found["intervals"].get(name))
    ]
    kept = found["logged"]
    rows += [
        {
            "estimator": "as logged",
            "value": _short(kept["value"]),
            "interval": f"{_short(kept['low'])} to {_short(kept['high'])}",
        }
    ]
    emit(rows, as_json=False)
    shown = ("n", "ess", "mean_weight", "max_weight", "unsupported_share", "clipped_share")
    emit({name: _short(found[name]) for name in shown}, as_json=False)
    say(f"{found['verdict']}: {found['sentence']}")


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.5g}"
