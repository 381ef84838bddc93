"""Models: what is registered, what serves, and training."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun, settings
from fairlead.console import emit
from storage.errors import Invalid, NotFound

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
    "creators",
    "clusters",
)

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

app = noun("models", "Trained models: list, show, card, register, promote, roll back.")


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
def card(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The model's name.")],
    version: Annotated[str, typer.Argument(help="The version.")],
    source: Annotated[str | None, typer.Option("--write", help="A JSON file with the card, or -.")] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Show a version's card as Markdown, or write it."""
    path = f"/models/{name}/versions/{version}/card"
    if source is None:
        found = control(ctx).get(path)
        for text in [found] if as_json else found["markdown"].splitlines():
            emit(text, as_json=as_json)
        return
    act(
        ctx,
        path,
        action=f"write the card of {name} {version}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"card": document(source)},
        method="put",
    )


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


@app.command()
def register(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The model's name, as policies will call it.")],
    plugin: Annotated[str, typer.Option("--plugin", help="The installed model plugin that loads it.")],
    files: Annotated[Path, typer.Option("--files", help="The folder of its files.", exists=True, file_okay=False)],
    told: Annotated[str, typer.Option("--settings", help="What the plugin is told: a JSON object.")] = "{}",
    as_json: Json = False,
) -> None:
    """Keep and register a model that other software trained; `models promote` puts it into service."""
    from fairlead.wiring import open_existing
    from scoring_core.learning.elsewhere import register_elsewhere
    from storage.records import clock

    if not NAME.fullmatch(name):
        raise Invalid("name: use 1 to 64 lower-case letters, digits, dashes or underscores")
    try:
        parsed = json.loads(told)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Invalid("settings: must be a JSON object")
    store = open_existing(settings(ctx))
    model = register_elsewhere(
        store.database, store.home, name=name, plugin=plugin, files=files, now=clock.now(), settings=parsed
    )
    emit({"name": model.name, "version": model.version, "features": list(model.features)}, as_json=as_json)


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
