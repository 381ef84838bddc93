"""Models: what is registered, what serves, and training."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun, settings
from fairlead.console import emit

app = noun("models", "Trained models: list, promote.")


@app.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List model versions and say which serve."""
    found = control(ctx).get("/models")
    if as_json:
        emit(found, as_json=True)
        return
    serving = found["in_service"]
    rows = [
        {
            **{key: model[key] for key in ("name", "version", "members", "trees")},
            "calibration": model["calibration"]["status"],
            "in_service": "yes" if model["version"] in _versions(serving.get(model["name"])) else "",
        }
        for model in found["models"]
    ]
    emit(rows, as_json=False)


def _versions(entry: object) -> tuple[str, ...]:
    return (entry,) if isinstance(entry, str) else (str(entry["version"]),) if isinstance(entry, dict) else ()


@app.command()
def promote(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The model's name.")],
    version: Annotated[str, typer.Argument(help="The version to put into service.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put a version into service."""
    act(
        ctx,
        f"/models/{name}/promote",
        action=f"put {name} {version} into service",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"version": version},
        confirm=name,
    )


def train(
    ctx: typer.Context,
    *,
    seed: Annotated[int, typer.Option("--seed", help="Seed of bagging and of the split.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the ranker from the lake, in a child process with limits; register it, promote it if not worse."""
    from fairlead.jobs import run_now

    emit(run_now(settings(ctx), "train", {"seed": seed}), as_json=as_json)
