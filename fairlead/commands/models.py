"""Models: what is registered, what serves, and training."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun, settings
from fairlead.console import emit
from storage.errors import NotFound

LEARNERS = (
    "ranker",
    "lambdarank",
    "factors",
    "hybrid",
    "content",
    "sequences",
    "bandit",
    "churn",
    "value",
    "next_action",
)

app = noun("models", "Trained models: list, show, promote, roll back.")


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
            **{key: model[key] for key in ("name", "version", "kind")},
            "in_service": "yes" if model["version"] == serving.get(model["name"]) else "",
            "evaluation": model["evaluation"].get("verdict", "unknown"),
            "calibration": model["calibration"]["status"],
        }
        for model in found["models"]
    ]
    emit(rows, as_json=False)


@app.command()
def show(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The model's name.")],
    version: Annotated[str | None, typer.Option("--version", help="Which; the one in service where not said.")] = None,
    as_json: Json = False,
) -> None:
    """Show one version: how it stands, its evaluation, its lineage."""
    found = control(ctx).get("/models")
    wanted = version or found["in_service"].get(name)
    known = {(one["name"], one["version"]): one for one in found["models"]}
    if (name, wanted) not in known:
        raise NotFound(f"no version {wanted} of a model {name}" if wanted else f"no version of {name} is in service")
    stands = next(one for one in found["standings"] if (one["name"], one["version"]) == (name, wanted))
    emit({**known[name, wanted], "standing": stands}, as_json=as_json)


@app.command()
def rollback(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The model's name.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put the version before back in service, in one step."""
    act(
        ctx,
        f"/models/{name}/rollback",
        action=f"take the version of {name} that serves back, and put the one before in service",
        yes=yes,
        reason=reason,
        as_json=as_json,
    )


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
    model: Annotated[str, typer.Argument(help=f"What to train: {', '.join(LEARNERS)}.")] = "ranker",
    origins: Annotated[
        list[str] | None, typer.Option("--origin", help="Learn from rows of this origin: imported, live (repeatable).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of whatever is drawn.")] = 1,
    objective: Annotated[
        str | None, typer.Option("--objective", help="Of the ranker: binary, or lambdarank for lists.")
    ] = None,
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--in-memory", help="Of the ranker, by the disk or not; else the size decides."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model from the lake, in a child process with limits; register it, promote it if not worse."""
    from fairlead.jobs import run_now

    told = {"model": model, "seed": seed, "origins": origins, "objective": objective, "stream": stream}
    asked = {name: value for name, value in told.items() if value is not None}
    emit(run_now(settings(ctx), "train", asked), as_json=as_json)
