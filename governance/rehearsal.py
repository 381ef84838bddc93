"""Logged decisions decided again: as they were, and as they would have been, by the core's own functions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from governance.past import Past
from governance.scenario import Otherwise
from scoring_core.candidates.protocol import Retriever
from scoring_core.compile import compile_plan
from scoring_core.explore import Choice, likelihood
from scoring_core.features.profile import PARTS
from scoring_core.gate import Admission, recalled
from scoring_core.live import ItemFeatures, Live, Model, Shelf
from scoring_core.plan import Plan
from scoring_core.replay import Recorded, again, compare, models_of
from storage.errors import FairleadError
from storage.records.decisions import Decision
from storage.records.policies import Snapshot

AGREES = frozenset({"exact", "equivalent"})
CLOSE = 1e-9
EVERYTHING = frozenset(PARTS)
MOST_PLANS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A logged decision, what it would have been, and the draft's probability of each item where it was logged."""

    logged: Decision
    draft: Decision
    likelihood: tuple[float, ...]


@dataclass(slots=True)
class Tally:
    """How many decisions were asked for, came out again and did so bit for bit; what was left out and why; what the
    draft asks that was not recorded."""

    asked: int = 0
    again: int = 0
    exact: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Parts:
    """One side of the comparison, as far as it is the same for many decisions."""

    snapshot: Snapshot
    models: Mapping[str, Model]
    retrievers: Mapping[str, Retriever]
    plan: Plan

    def live(self, record: Decision, shelf: Shelf, items: ItemFeatures) -> Live:
        """Return the view that a decision is made with."""
        return Live(
            self.snapshot,
            Recorded(record.consent_epoch),
            self.models,
            shelf,
            items,
            replace(self.plan, reads=EVERYTHING),
            self.retrievers,
        )


class Rehearsal:
    """Decides logged decisions again.

    Only those count that come out as they were recorded: bit for bit, within 1e-9 on another runtime, or, where a later
    release computes other digests, the same items with the same probabilities served by the same. Then what the draft
    would have done differs from the record by the draft alone.

    Parameters
    ----------
    past
        What they were made from.
    otherwise
        What the draft changes.
    """

    def __init__(self, past: Past, otherwise: Otherwise) -> None:
        self._past, self._otherwise = past, otherwise
        self._plans: dict[tuple[object, ...], tuple[_Parts, _Parts]] = {}
        self._drafted: dict[int, Snapshot] = {}
        self.tally = Tally()

    def of(self, records: Iterable[Decision]) -> Iterator[Rehearsed]:
        """Yield every record that can be decided again, with what it would have been."""
        for record, shelf, items in self._past.told(records):
            self.tally.asked += 1
            found = self._one(record, shelf, items)
            if isinstance(found, str):
                self.tally.left_out[found] += 1
            else:
                self.tally.again += 1
                yield found

    def _one(self, record: Decision, shelf: Shelf | None, items: ItemFeatures | None) -> Rehearsed | str:
        admission = recalled(record) if record.origin != "imported" else None
        snapshot = self._past.snapshot(record.revision)
        if admission is None or snapshot is None or shelf is None or items is None:
            return "made elsewhere" if record.origin == "imported" else "what it was made from is no longer kept"
        try:
            parts = self._parts(record, snapshot, shelf)
        except FairleadError:
            return "the draft does not fit the revision that it was made with"
        if parts is None:
            return "its model is no longer kept"
        return self._compared(record, admission, *(each.live(record, shelf, items) for each in parts))

    def _compared(self, record: Decision, admission: Admission, now: Live, draft: Live) -> Rehearsed | str:
        try:
            same = again(record, admission, now)
            exact = compare(record, same).verdict in AGREES
            if not exact and not _alike(record, same):
                return "does not come out as recorded"
            self.tally.exact += exact
            seen: list[Choice] = []
            made = again(_whole(record), admission, draft, onlooker=seen.append)
        except (ValueError, IndexError, KeyError):
            return "cannot be decided again"
        return Rehearsed(logged=record, draft=made, likelihood=_likelihood(record, made, seen, now.shelf))

    def _parts(self, record: Decision, snapshot: Snapshot, shelf: Shelf) -> tuple[_Parts, _Parts] | None:
        key = (
            record.revision,
            record.catalogue,
            record.model,
            record.model_version,
            record.reason == "scorer_failed",
            *sorted(record.retrievers.items()),
        )
        if key in self._plans:
            return self._plans[key]
        model = self._past.model(record.model, record.model_version)
        named = {name: self._past.retriever(name, number, shelf) for name, number in record.retrievers.items()}
        retrievers = {name: each for name, each in named.items() if each is not None}
        if (record.model_version is not None and model is None) or len(retrievers) < len(named):
            return None
        models, drafted = models_of(record, model), self._draft(snapshot)
        plan = compile_plan(snapshot, models=models, shelf=shelf, retrievers=retrievers)
        kept = {name for name in (*models, *retrievers) if snapshot.models.get(name) == drafted.models.get(name)}
        others = {**self._past.models(drafted), **{name: each for name, each in models.items() if name in kept}}
        places = {name: each for name, each in retrievers.items() if name in kept}
        places = {**self._past.retrievers(drafted, shelf), **places}
        draft = compile_plan(drafted, models=others, shelf=shelf, masks=dict(plan.masks), retrievers=places)
        self._note(plan, draft)
        if len(self._plans) >= MOST_PLANS:
            self._plans.clear()
        self._plans[key] = (
            _Parts(snapshot, models, retrievers, plan),
            _Parts(drafted, others, places, draft),
        )
        return self._plans[key]

    def _draft(self, snapshot: Snapshot) -> Snapshot:
        if snapshot.revision not in self._drafted:
            self._drafted[snapshot.revision] = self._otherwise.of(snapshot)
        return self._drafted[snapshot.revision]

    def _note(self, now: Plan, draft: Plan) -> None:
        """Remember what the draft asks of a person, of plugins or of counters that nobody recorded."""
        self.tally.unknown |= {f"people's {part.replace('_', ' ')}" for part in draft.reads - now.reads}
        known = {cap.name: cap.cap for cap in now.caps}
        for cap in draft.caps:
            before = known.get(cap.name)
            if before is None or replace(before, limit=0) != replace(cap.cap, limit=0):
                self.tally.unknown.add(f"the counter of the cap {cap.name}")
        for key, place in draft.surfaces.items():
            here = now.surfaces.get(key)
            for plugin in set(place.enrichers) - set(here.enrichers if here is not None else ()):
                self.tally.unknown.add(f"what the plugin {plugin} would have said")
            for source in set(place.told) - set(here.told if here is not None else ()):
                self.tally.unknown.add(f"what the source {source.model or source.name} would have brought")


def _whole(record: Decision) -> Decision:
    """Return a record as it was before other decisions took from it what had reached its cap meanwhile."""
    return msgspec.structs.replace(record, withheld=()) if record.withheld else record


def _alike(record: Decision, same: Decision) -> bool:
    """Tell whether two decisions did the same, whatever their digests."""
    return (
        (record.items, record.served_by, record.caps) == (same.items, same.served_by, same.caps)
        and len(record.propensity) == len(same.propensity)
        and all(abs(one - other) <= CLOSE for one, other in zip(record.propensity, same.propensity, strict=True))
    )


def _likelihood(record: Decision, draft: Decision, seen: list[Choice], shelf: Shelf) -> tuple[float, ...]:
    if seen:
        return likelihood(seen[0], [shelf.ordinals.get(item, -1) for item in record.items])
    return tuple(float(slot < len(draft.items) and draft.items[slot] == item) for slot, item in enumerate(record.items))
