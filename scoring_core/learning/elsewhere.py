"""Models that other software trained: their files are kept, checked and registered, to be loaded by a plugin."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from scoring_core.models import load_scorer
from scoring_core.plugins import folder_digest, installed
from storage import registry
from storage.database import Database
from storage.errors import FairleadError, Invalid, Problem
from storage.files import wire
from storage.records.clock import iso, moment
from storage.records.models import ModelVersion


def register_elsewhere(
    database: Database,
    home: Path,
    *,
    name: str,
    plugin: str,
    files: Path,
    now: int,
    settings: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Copy ``files`` to ``models/<name>/<version>/``, let the plugin load them and score once, register, not promote.

    Raises
    ------
    Invalid
        If the plugin is not installed here, or does not take files or settings.
    Full, Unavailable
        If the files cannot be read or written.
    """
    found = installed().of("model").get(plugin)
    if found is None:
        _refuse("plugin", "no model plugin of that name is installed here")
    number = f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"
    folder = Path("models") / name / number
    with wire(f"model {name}"):
        shutil.copytree(files, home / folder)
    draft = ModelVersion(
        name=name,
        version=number,
        kind="plugin",
        created_at=now,
        path=str(folder),
        digest=folder_digest(home / folder),
        parameters={"plugin": plugin, "plugin_version": found.version, "settings": dict(settings or {})},
        lineage={"trained": "elsewhere", "registered": iso(now)},
    )
    try:
        scorer = load_scorer(draft, home).scorer
    except FairleadError as error:
        shutil.rmtree(home / folder, ignore_errors=True)
        _refuse("files", str(error))
    model = replace(draft, features=scorer.features)
    with database.write() as write:
        registry.register(write, model)
    return model


def _refuse(field: str, message: str) -> NoReturn:
    raise Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))
