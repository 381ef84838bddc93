"""The heavy parts of a live view, loaded on a thread: the shelf and the models that a revision names."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from scoring_core.candidates.protocol import Retriever
from scoring_core.edges.telemetry import Telemetry
from scoring_core.live import Model, Shelf
from scoring_core.models import RETRIEVERS, load_model, load_scorer
from scoring_core.shelf import advanced, build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import FairleadError
from storage.records.models import ModelVersion
from storage.records.policies import PolicyState, Snapshot

_log = logging.getLogger("fairlead.engine")


@dataclass(frozen=True, slots=True)
class Held:
    """What is loaded: replaced as a whole, so that a reader on another thread sees one state. ``retrievers`` are placed
    on the shelf."""

    shelf: Shelf | None = None
    models: Mapping[str, Model] = field(default_factory=dict)
    retrievers: Mapping[str, Retriever] = field(default_factory=dict)
    versions: Mapping[str, ModelVersion] = field(default_factory=dict)


class Parts:
    """Loads what is missing; a model that cannot be loaded leaves the one before in service and is named in
    ``failed``."""

    def __init__(self, home: Path, database: Database, telemetry: Telemetry, *, now: Callable[[], int]) -> None:
        self._home = home
        self._database = database
        self._telemetry = telemetry
        self._now = now
        self.held = Held()
        self.failed: Mapping[str, str] = {}

    def complete_for(self, snapshot: Snapshot, catalogue_version: int) -> bool:
        """Tell whether everything is loaded that ``snapshot`` names, as far as it can be."""
        shelf = self.held.shelf
        return shelf is not None and shelf.catalogue.version == catalogue_version and self.equipped_for(snapshot)

    def equipped_for(self, snapshot: Snapshot) -> bool:
        """Tell whether the models that ``snapshot`` names are loaded, as far as they can be."""
        versions = self.held.versions
        return all(
            self.failed.get(name) == version or (name in versions and versions[name].version == version)
            for name, version in snapshot.models.items()
        )

    def load(self, snapshot: Snapshot | None, catalogue_version: int) -> bool:
        """Load what is missing; tell whether anything changed."""
        before, failed_before = self.held, self.failed
        if before.shelf is None or before.shelf.catalogue.version != catalogue_version:
            shelf = self._shelf(before.shelf)
            placed = {name: each.on(shelf) for name, each in self.held.retrievers.items()}
            self.held = replace(self.held, shelf=shelf, retrievers=placed)
        if snapshot is not None:
            self._load_models(snapshot.models)
            if self.held.shelf is not None and any(map(searches, snapshot.policies.values())):
                self.held.shelf.texts.prepare()
        return self.held is not before or self.failed != failed_before

    def _shelf(self, before: Shelf | None) -> Shelf:
        """Return the catalogue as it is now: the one before with what changed since, or made anew."""
        with self._database.read() as read:
            if before is not None and before.catalogue.version <= catalogue.version(read):
                number, changed = catalogue.changed_since(read, before.catalogue.version)
                return advanced(before, number, changed)
            return build_shelf(catalogue.load(read))

    def _load_models(self, wanted: Mapping[str, str]) -> None:
        held = self.held
        missing = {
            name: version
            for name, version in wanted.items()
            if name not in held.versions or held.versions[name].version != version
        }
        if not missing:
            self.failed = {}
            return
        with self._database.read() as read:
            known = {(model.name, model.version): model for model in registry.models(read)}
        models, retrievers, versions = dict(held.models), dict(held.retrievers), dict(held.versions)
        failed = {}
        for name, version in missing.items():
            try:
                found = known[name, version]
                part = loaded(found, self._home, held.shelf)
            except (FairleadError, KeyError) as error:
                _log.error("model %s %s cannot be put in service: %s", name, version, error)
                self._telemetry.dependencies.child("model", "error").add()
                failed[name] = version
                continue
            versions[name] = found
            models.pop(name, None)
            retrievers.pop(name, None)
            if isinstance(part, Model):
                models[name] = part
            elif part is not None:
                retrievers[name] = part
            self._telemetry.dependencies.child("model", "ok").add()
        self.held = replace(held, models=models, retrievers=retrievers, versions=versions)
        self.failed = failed


def searches(state: PolicyState) -> bool:
    """Tell whether a policy searches the catalogue's own text."""
    return any(
        source.name == "search" and not source.model for policy in state.versions.values() for source in policy.sources
    )


def loaded(version: ModelVersion, home: Path, shelf: Shelf | None) -> Model | Retriever | None:
    """Load a version; None for what no decision asks."""
    if version.kind == "person":
        return None
    if version.kind in RETRIEVERS:
        retriever: Retriever = load_model(version, home)
        return retriever if shelf is None else retriever.on(shelf)
    return load_scorer(version, home)
