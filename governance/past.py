"""What logged decisions were made from, read again in control: revisions, catalogues, models, item features."""

from collections.abc import Iterable, Iterator
from itertools import groupby, repeat
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.protocol import Retriever
from scoring_core.epochs import fill
from scoring_core.live import ItemFeatures, Model, Shelf
from scoring_core.models import RETRIEVERS, load_model, load_scorer
from scoring_core.plugins import PREFIX, installed, scorers
from scoring_core.scorers.hybrid import Bundle
from scoring_core.shelf import build_shelf, no_statistics
from storage import registry, revisions, whole_decisions
from storage.database import Database
from storage.errors import FairleadError
from storage.lake import Lake
from storage.past_items import past
from storage.records.decisions import Decision
from storage.records.events import ITEM_STATS
from storage.records.models import Calibration, ModelVersion
from storage.records.policies import Snapshot


class Past:
    """Reads the past and keeps what was read; what is no longer kept is None. One catalogue is held at a time, so ask
    for decisions in the order of ``storage.whole_decisions``."""

    def __init__(self, database: Database, lake: Lake, home: Path) -> None:
        self._database, self._lake, self._home = database, lake, home
        self._snapshots: dict[int, Snapshot | None] = {}
        self._shelf: Shelf | None = None
        self._parts: dict[tuple[str, str], Any] = {}
        self._placed: dict[tuple[str, str], Retriever] = {}
        with database.read() as read:
            self._known = {(each.name, each.version): each for each in registry.models(read)}

    def snapshot(self, revision: int) -> Snapshot | None:
        """Return a revision."""
        if revision not in self._snapshots:
            with self._database.read() as read:
                self._snapshots[revision] = revisions.load(read, revision)
        return self._snapshots[revision]

    def shelf(self, version: int) -> Shelf | None:
        """Return the catalogue of a version."""
        if self._shelf is None or self._shelf.catalogue.version != version:
            with self._database.read() as read:
                found = past(read, version)
            self._shelf = None if found is None else build_shelf(found)
            self._placed.clear()
        return self._shelf

    def model(self, name: str | None, version: str | None) -> Model | None:
        """Return what scored, by the name and version that a record has; several joined by ``+`` as one."""
        if name is None or version is None:
            return None
        if "+" in name:
            wanted = list(zip(name.split("+"), version.split("+"), strict=False))
            found = {each: model for each, number in wanted if (model := self.model(each, number)) is not None}
            return Model(Bundle(found), Calibration()) if len(found) == len(wanted) else None
        if name.startswith(PREFIX):
            plugin = scorers(installed()).get(name)
            return plugin if plugin is not None and plugin.scorer.version == version else None
        part = self._part(name, version)
        return part if isinstance(part, Model) else None

    def retriever(self, name: str, version: str, shelf: Shelf) -> Retriever | None:
        """Return what found candidates, placed on ``shelf``."""
        key = (name, version)
        if key not in self._placed:
            part = self._part(name, version)
            if part is None or isinstance(part, Model):
                return None
            self._placed[key] = part.on(shelf)
        return self._placed[key]

    def models(self, snapshot: Snapshot) -> dict[str, Model]:
        """Return every scorer that a revision names and that is kept, plugins included."""
        named = {name: self.model(name, version) for name, version in snapshot.models.items()}
        return {**scorers(installed()), **{name: model for name, model in named.items() if model is not None}}

    def retrievers(self, snapshot: Snapshot, shelf: Shelf) -> dict[str, Retriever]:
        """Return every retriever that a revision names and that is kept."""
        named = {name: self.retriever(name, version, shelf) for name, version in snapshot.models.items()}
        return {name: found for name, found in named.items() if found is not None}

    def _part(self, name: str, version: str) -> Any:
        key = (name, version)
        if key not in self._parts:
            self._parts[key] = self._load(self._known.get(key))
        return self._parts[key]

    def _load(self, version: ModelVersion | None) -> Any:
        if version is None or version.kind == "person":
            return None
        try:
            return load_model(version, self._home) if version.kind in RETRIEVERS else load_scorer(version, self._home)
        except FairleadError:
            return None

    def told(self, records: Iterable[Decision]) -> Iterator[tuple[Decision, Shelf | None, ItemFeatures | None]]:
        """Yield each decision with its catalogue and the item features of its moment."""
        for (version, replica), group in groupby(records, key=lambda each: (each.catalogue, each.replica)):
            shelf, mine = self.shelf(version), list(group)
            yield from zip(mine, repeat(shelf), self._features(shelf, replica, mine), strict=False)

    def _features(self, shelf: Shelf | None, replica: str, records: list[Decision]) -> Iterator[ItemFeatures | None]:
        """Yield the item features of each record, whose epochs rise; they are numbered per replica."""
        if shelf is None:
            yield from repeat(None, len(records))
            return
        asked = [each.item_feature_epoch for each in records if each.item_feature_epoch]
        with self._database.read() as read:
            deltas = whole_decisions.epochs(
                self._lake, read, replica=replica, first=min(asked, default=0), last=max(asked, default=0)
            )
        values, reached = np.zeros((len(shelf.catalogue.items), len(ITEM_STATS))), 0
        now: ItemFeatures | None = no_statistics(shelf)
        for each in records:
            wanted = each.item_feature_epoch
            while reached < wanted and (delta := next(deltas, None)) is not None:
                fill(values, delta)
                reached = delta.epoch
            if wanted and (now is None or now.epoch != wanted):
                now = ItemFeatures(epoch=wanted, values=values.copy()) if reached == wanted else None
            yield now
