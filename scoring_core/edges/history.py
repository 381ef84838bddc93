"""What a past decision was computed from: its record, revision, model, catalogue and item features, read again."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from scoring_core.candidates.protocol import Retriever
from scoring_core.edges.memory import epochs_until
from scoring_core.epochs import rebuilt
from scoring_core.live import ItemFeatures, Model, Shelf
from scoring_core.models import RETRIEVERS, load_model, load_scorer
from scoring_core.plugins import PREFIX, installed, scorers
from scoring_core.scorers.hybrid import Bundle
from scoring_core.shelf import build_shelf, no_statistics
from storage import erasure, registry, revisions
from storage.errors import FairleadError
from storage.past_items import past
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.models import Calibration, ModelVersion
from storage.records.policies import Snapshot

if TYPE_CHECKING:
    from scoring_core.edges.replica import Replica
    from storage.lake import Lake

KEEP = 8
"""How many past revisions and models stay in memory."""
KEEP_SHELVES = 2
"""And how many past catalogues, each as large as the one in service."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """The parts; None for what is no longer kept, and a retriever that is not kept is not there."""

    snapshot: Snapshot | None
    model: Model | None
    shelf: Shelf | None
    items: ItemFeatures | None
    retrievers: Mapping[str, Retriever] = field(default_factory=dict)


class History:
    """Reads the past. Every call blocks; call it on a thread."""

    def __init__(self, replica: "Replica") -> None:
        self._replica = replica
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()
        self._shelves: OrderedDict[int, Shelf] = OrderedDict()
        self._models: OrderedDict[tuple[str, str], Model] = OrderedDict()
        self._retrievers: OrderedDict[tuple[str, str, bytes], Retriever] = OrderedDict()

    def decision(self, decision_id: str) -> Decision | None:
        """Return a decision's record: from this replica's log, else from the lake."""
        entry = self._replica.log.find(f"decision:{decision_id}")
        if entry is not None:
            try:
                return wire.decode(Decision, entry.payload)
            except msgspec.ValidationError:
                return None
        with self._replica.database.read() as read:
            return self._lake().decision(read, decision_id)

    def tombstone(self, decision_id: str) -> Mapping[str, Any] | None:
        """Return the signed tombstone of a decision that was erased, or None."""
        with self._replica.database.read() as read:
            return erasure.tombstone(read, decision_id, self._replica.keys.public_pem)

    def recall(self, record: Decision) -> Recalled:
        """Gather what a record names."""
        shelf = self._shelf(record.catalogue)
        return Recalled(
            snapshot=self._snapshot(record.revision),
            model=self._model(record.model, record.model_version),
            shelf=shelf,
            items=None if shelf is None else self._items(record, shelf),
            retrievers={} if shelf is None else self._asked(record.retrievers, shelf),
        )

    def _shelf(self, version: int) -> Shelf | None:
        """Return the catalogue as it was, within the bound of ``storage.past_items``."""
        live = self._replica.follower.live
        if live is not None and live.shelf.catalogue.version == version:
            return live.shelf
        if version not in self._shelves:
            with self._replica.database.read() as read:
                found = past(read, version)
            if found is None:
                return None
            self._shelves[version] = build_shelf(found)
            if len(self._shelves) > KEEP_SHELVES:
                self._shelves.popitem(last=False)
        return self._shelves.get(version)

    def _snapshot(self, revision: int) -> Snapshot | None:
        live = self._replica.follower.live
        if live is not None and live.snapshot.revision == revision:
            return live.snapshot
        if revision not in self._snapshots:
            with self._replica.database.read() as read:
                found = revisions.load(read, revision)
            if found is None:
                return None
            self._snapshots[revision] = found
            if len(self._snapshots) > KEEP:
                self._snapshots.popitem(last=False)
        return self._snapshots.get(revision)

    def _model(self, name: str | None, version: str | None) -> Model | None:
        if name is None or version is None:
            return None
        if "+" in name or name.startswith(PREFIX):
            return self._bundle(name, version) if "+" in name else _installed(name, version)
        held = self._replica.follower.parts.held
        if name in held.models and held.versions[name].version == version:
            return held.models[name]
        if (name, version) not in self._models:
            found = self._registered(name, version)
            if found is None or found.kind in RETRIEVERS:
                return None
            try:
                self._models[name, version] = load_scorer(found, self._replica.config.home)
            except FairleadError:
                return None
            if len(self._models) > KEEP:
                self._models.popitem(last=False)
        return self._models.get((name, version))

    def _bundle(self, names: str, versions: str) -> Model | None:
        """Return the models of a blend as one; None where any is gone."""
        wanted = list(zip(names.split("+"), versions.split("+"), strict=False))
        found = {name: model for name, version in wanted if (model := self._model(name, version)) is not None}
        return Model(Bundle(found), Calibration()) if len(found) == len(wanted) else None

    def _asked(self, versions: Mapping[str, str], shelf: Shelf) -> dict[str, Retriever]:
        """Return the retrievers that a decision asked, as far as they are kept, placed on its shelf."""
        found = {name: self._retriever(name, version, shelf) for name, version in versions.items()}
        return {name: retriever for name, retriever in found.items() if retriever is not None}

    def _retriever(self, name: str, version: str, shelf: Shelf) -> Retriever | None:
        held = self._replica.follower.parts.held
        if name in held.retrievers and held.versions[name].version == version and held.shelf is shelf:
            return held.retrievers[name]
        key = (name, version, shelf.digest)
        if key not in self._retrievers:
            found = self._registered(name, version)
            if found is None or found.kind not in RETRIEVERS:
                return None
            try:
                self._retrievers[key] = load_model(found, self._replica.config.home).on(shelf)
            except FairleadError:
                return None
            if len(self._retrievers) > KEEP:
                self._retrievers.popitem(last=False)
        return self._retrievers.get(key)

    def _registered(self, name: str, version: str) -> ModelVersion | None:
        with self._replica.database.read() as read:
            return next((each for each in registry.models(read) if (each.name, each.version) == (name, version)), None)

    def _items(self, record: Decision, shelf: Shelf) -> ItemFeatures | None:
        """Item features are numbered per replica: from this one's log, else from the lake."""
        if record.item_feature_epoch == 0:
            return no_statistics(shelf)
        epochs = None
        if record.replica == self._replica.config.replica:
            epochs = epochs_until(self._replica.log, record.item_feature_epoch)
        if epochs is None:
            with self._replica.database.read() as read:
                epochs = self._lake().epochs(read, replica=record.replica, epoch=record.item_feature_epoch)
        return rebuilt(len(shelf.catalogue.items), epochs) if epochs else None

    def _lake(self) -> "Lake":
        from storage.lake import Lake

        return Lake(self._replica.config.home / "lake")


def _installed(name: str, version: str) -> Model | None:
    """Return a scorer plugin; None where it is gone, or another version is here."""
    found = scorers(installed()).get(name)
    return found if found is not None and found.scorer.version == version else None
