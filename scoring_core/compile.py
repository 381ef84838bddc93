"""Make a live view: the snapshot compiled against the shelf and the models, once per change of either."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.because import Telling
from scoring_core.candidates.lists import Lists
from scoring_core.candidates.protocol import Retriever
from scoring_core.caps import PlannedCap, plan_cap
from scoring_core.circumstances import asked
from scoring_core.features.segments import segmentation
from scoring_core.features.table import FeatureTable
from scoring_core.live import ConsentView, ItemFeatures, Live, Model, Shelf
from scoring_core.plan import Plan, PlannedCampaign, PlannedPolicy, PlannedSurface
from scoring_core.reads import parts_read
from scoring_core.reasons import sensitive
from scoring_core.rerank import PlannedRerank
from scoring_core.rulebook import Rulebook
from scoring_core.rules import Mask
from scoring_core.scorers.choice import choose
from scoring_core.toggles import plan_toggles
from storage.records.document import canonical
from storage.records.policies import Installation, Policy, PolicyState, Snapshot, Source

RETRIEVING = frozenset({"factors", "hybrid", "content", "sequences"})
"""The candidate sources that ask a retriever."""


def compile_live(
    snapshot: Snapshot,
    consent: ConsentView,
    *,
    models: Mapping[str, Model],
    shelf: Shelf,
    items: ItemFeatures,
    retrievers: Mapping[str, Retriever] | None = None,
    previous: Live | None = None,
) -> Live:
    """Return one consistent view. ``models`` maps a model's name to the version in service; conditions over items that
    ``previous`` worked out for the same shelf are taken over."""
    masks = dict(previous.plan.masks) if previous is not None and previous.shelf is shelf else {}
    plan = compile_plan(snapshot, models=models, shelf=shelf, masks=masks, retrievers=retrievers)
    return Live(
        snapshot=snapshot,
        consent=consent,
        models=models,
        shelf=shelf,
        items=items,
        plan=plan,
        retrievers=retrievers or {},
        lists=Lists() if previous is None else previous.lists,
    )


def compile_plan(
    snapshot: Snapshot,
    *,
    models: Mapping[str, Model],
    shelf: Shelf,
    masks: Mapping[bytes, NDArray[np.bool_]] | None = None,
    retrievers: Mapping[str, Retriever] | None = None,
) -> Plan:
    """Compile every policy, campaign and best-variant list of ``snapshot``."""
    known = _Masks(shelf, dict(masks or {}))
    book = Rulebook(known.of, items=len(shelf.catalogue.items))
    everywhere = tuple([plan_cap(cap, "installation", "", shelf) for cap in snapshot.caps.values()])
    surfaces = {
        state.surface: _surface(
            state,
            snapshot=snapshot,
            models=models,
            retrievers=retrievers or {},
            shelf=shelf,
            masks=known,
            book=book,
            caps=everywhere,
        )
        for state in snapshot.policies.values()
    }
    campaigns = {
        key: PlannedCampaign(
            campaign=campaign,
            eligible=book.condition(campaign.eligibility),
            items=known.of(campaign.item_filter),
            caps=tuple([plan_cap(cap, "campaign", key, shelf, campaigns=(key,)) for cap in campaign.caps]),
        )
        for key, campaign in snapshot.campaigns.items()
    }
    settings = {
        surface: book.settings(rule for rule in snapshot.rules.values() if _concerns(rule.surfaces, surface))
        for surface in snapshot.installation.surfaces
    }
    wanted = asked(book.names)
    segmenting = segmentation(snapshot.installation.segments)
    versions = [each for place in surfaces.values() for each in (place.stable, place.rolling) if each is not None]
    return Plan(
        digest=blake2b(canonical(snapshot), digest_size=16).digest(),
        surfaces=surfaces,
        campaigns=campaigns,
        caps=(
            *everywhere,
            *[cap for campaign in campaigns.values() for cap in campaign.caps],
            *[cap for version in versions for cap in version.caps if cap.level == "policy"],
        ),
        best_variants={
            place: np.array([shelf.ordinals[item] for item in ids if item in shelf.ordinals], dtype=np.int64)
            for place, ids in snapshot.best_variants.items()
        },
        masks=known.used,
        settings=settings,
        asked=wanted,
        zone=snapshot.installation.zone,
        segmentation=segmenting,
        reads=wanted.reads
        | parts_read(versions, snapshot.installation)
        | (segmenting.reads if "segments" in wanted.computed else frozenset()),
        kinds={
            key: shelf.columns.of_kinds(surface.item_kinds)
            for key, surface in snapshot.installation.surfaces.items()
            if surface.item_kinds
        },
        cohorts={
            cohort: np.array([shelf.ordinals[item] for item in ids if item in shelf.ordinals], dtype=np.int64)
            for cohort, ids in snapshot.trending.items()
        },
        toggles=plan_toggles(snapshot.toggles.values()),
    )


class _Masks:
    """Conditions over items as one flag per ordinal, each worked out once."""

    def __init__(self, shelf: Shelf, known: dict[bytes, NDArray[np.bool_]]) -> None:
        self._shelf = shelf
        self._known = known
        self.used: dict[bytes, NDArray[np.bool_]] = {}

    def of(self, condition: Mapping[str, Any]) -> Mask:
        if not condition:
            return None
        key = canonical(condition)
        if key not in self.used:
            mask = self._known.get(key)
            self.used[key] = self._shelf.columns.mask(condition) if mask is None else mask
        return self.used[key]


def _surface(
    state: PolicyState,
    *,
    snapshot: Snapshot,
    models: Mapping[str, Model],
    retrievers: Mapping[str, Retriever],
    shelf: Shelf,
    masks: _Masks,
    book: Rulebook,
    caps: tuple[PlannedCap, ...],
) -> PlannedSurface:
    def version(number: int | None) -> PlannedPolicy | None:
        if number is None or number not in state.versions:
            return None
        return _policy(
            state.key,
            number,
            policy=state.versions[number],
            snapshot=snapshot,
            models=models,
            retrievers=retrievers,
            shelf=shelf,
            masks=masks,
            book=book,
            caps=caps,
        )

    rollout = state.rollout
    numbers = (state.stable, rollout.version if rollout else None)
    serving = [state.versions[number] for number in numbers if number is not None and number in state.versions]
    return PlannedSurface(
        stable=version(state.stable),
        rolling=version(rollout.version) if rollout else None,
        rollout=rollout,
        segment=book.condition(rollout.segment if rollout else {}),
        enrichers=tuple(dict.fromkeys(name for policy in serving for name in policy.enrichers)),
        told=tuple(source for policy in serving for source in policy.sources if _outside(source)),
    )


def _policy(
    key: str,
    version: int,
    *,
    policy: Policy,
    snapshot: Snapshot,
    models: Mapping[str, Model],
    retrievers: Mapping[str, Retriever],
    shelf: Shelf,
    masks: _Masks,
    book: Rulebook,
    caps: tuple[PlannedCap, ...],
) -> PlannedPolicy:
    rules = (*policy.rules, *(rule for rule in snapshot.rules.values() if _concerns(rule.surfaces, policy.surface)))
    own = [plan_cap(cap, "policy", key, shelf, surfaces=(policy.surface,)) for cap in policy.caps]
    name, model = choose(policy.scorer, models)
    table = FeatureTable(model.scorer.features, shelf, categories=model.categories) if model else None
    return PlannedPolicy(
        key=key,
        version=version,
        policy=policy,
        filters=masks.of(policy.filters),
        rules=book.items(rules),
        settings=book.settings(rules),
        caps=(*[cap for cap in caps if _concerns(cap.surfaces, policy.surface)], *own),
        tires=policy.fatigue_tolerance is not None or (table is not None and table.asks_fatigue),
        rerank=_rerank(policy, shelf),
        retrievers={each: retrievers[each] for each in _asked(policy, table) if each in retrievers},
        model_name=name,
        model=model,
        table=table,
        telling=_telling(policy, snapshot.installation, table),
    )


def _telling(policy: Policy, installation: Installation, table: FeatureTable | None) -> Telling:
    """Return which reasons of the person a policy tells; what they looked at only where interests are a feature."""
    surface = installation.surfaces.get(policy.surface)
    named = {*policy.reasons, *(surface.reasons if surface is not None else ())}
    asks = table is not None and any(name.startswith(("user.", "model.")) for name in table.features)
    return Telling(
        because="because" in named and asks,
        interest="interest" in named,
        secret=sensitive(installation, policy.surface),
    )


def _outside(source: Source) -> bool:
    """Tell whether a source is asked at the edge: a plugin, or an external index that one speaks to."""
    return source.name == "plugin" or (source.name == "search" and bool(source.model))


def _concerns(surfaces: tuple[str, ...], surface: str) -> bool:
    return not surfaces or surface in surfaces


def _rerank(policy: Policy, shelf: Shelf) -> PlannedRerank | None:
    if policy.rerank is None:
        return None
    name = policy.rerank.attribute
    values = [item.item_id if name == "item_id" else item.attributes.get(name) for item in shelf.catalogue.items]
    number = {value: place for place, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
    groups = np.array([-1 if value is None else number[value] for value in values], dtype=np.int64)
    return PlannedRerank(share=policy.rerank.share, groups=groups)


def _asked(policy: Policy, table: FeatureTable | None) -> list[str]:
    """Return the names of the retrievers that a policy's sources and features ask."""
    named = [source.model or source.name for source in policy.sources if source.name in RETRIEVING]
    return list(dict.fromkeys([*named, *(table.retrievers if table is not None else ())]))
