"""Retrievers of earlier versions, as decisions recorded them, loaded where their files are kept."""

from pathlib import Path

from scoring_core.candidates.protocol import Retriever
from scoring_core.learning.datasets import Kept
from scoring_core.live import Shelf
from scoring_core.models import RETRIEVERS, load_model
from storage import registry
from storage.database import Database
from storage.errors import Unavailable
from storage.records.models import ModelVersion


def kept_retrievers(database: Database, home: Path, shelf: Shelf) -> Kept:
    """Return what gives a retriever by name and version; None where it is not registered or its files are gone."""
    with database.read() as read:
        known = {(model.name, model.version): model for model in registry.models(read) if model.kind in RETRIEVERS}
    loaded: dict[tuple[str, str], Retriever | None] = {}

    def kept(name: str, version: str) -> Retriever | None:
        which = name, version
        if which not in loaded:
            loaded[which] = _load(known.get(which), home, shelf)
        return loaded[which]

    return kept


def _load(model: ModelVersion | None, home: Path, shelf: Shelf) -> Retriever | None:
    if model is None:
        return None
    try:
        found: Retriever = load_model(model, home).on(shelf)
    except Unavailable:
        return None
    return found
