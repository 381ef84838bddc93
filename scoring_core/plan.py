"""A snapshot compiled against a shelf and the models: what a decision need not work out again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring_core.because import Telling
from scoring_core.candidates.protocol import Retriever
from scoring_core.caps import PlannedCap, concerning
from scoring_core.circumstances import Asked
from scoring_core.conditions import Predicate
from scoring_core.features.segments import STANDARD, Segmentation
from scoring_core.features.table import FeatureTable
from scoring_core.live import Model
from scoring_core.reasons import Words
from scoring_core.rerank import PlannedRerank
from scoring_core.rules import Mask, PlannedRule, Ruleset
from scoring_core.toggles import Toggles
from storage.records.campaigns import Campaign
from storage.records.policies import Policy, Rollout, Source

__all__ = ["Mask", "Plan", "PlannedCampaign", "PlannedPolicy", "PlannedRule", "PlannedSurface", "Predicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPolicy:
    """One policy version: ``model`` and ``table`` are None where the model that it names is not in service; ``rules``
    touch items, ``settings`` the app's configuration, both in the order in which they apply. ``retrievers``
    are those that its sources and features ask, by name; ``telling`` says which reasons of the person are told, and
    ``tires`` whether it asks for fatigue."""

    key: str
    version: int
    policy: Policy
    filters: Mask
    rules: Ruleset
    settings: Ruleset
    caps: tuple[PlannedCap, ...]
    tires: bool
    rerank: PlannedRerank | None
    retrievers: Mapping[str, Retriever]
    model_name: str | None
    model: Model | None
    table: FeatureTable | None
    telling: Telling = field(default_factory=Telling)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSurface:
    """The policy of a surface: its stable version, and the one that is being rolled out, to whom; ``enrichers`` and
    ``told`` are the plugins, and the sources outside the decision, that any of the two asks."""

    stable: PlannedPolicy | None
    rolling: PlannedPolicy | None
    rollout: Rollout | None
    segment: Predicate
    enrichers: tuple[str, ...] = ()
    told: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCampaign:
    """A campaign, who is eligible, and which items belong to it."""

    campaign: Campaign
    eligible: Predicate
    items: Mask
    caps: tuple[PlannedCap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The compiled snapshot and its ``digest``.

    ``best_variants`` holds catalogue ordinals, best first, by ``surface/campaign``; ``masks`` are kept by condition, so
    that the next plan of the same shelf works out only what is new. ``settings`` are the installation's own rules over
    the app's configuration, by surface, for surfaces without a policy. ``asked`` is what conditions ask, ``zone`` whose
    hours where there is no campaign, ``segmentation`` who belongs to which segment. ``reads`` names the parts of
    ``UserState`` beyond the vector that anything here asks for: no record holds more of a person than that. ``kinds``
    are the items of the kinds that a surface names, ``cohorts`` what trends among those of ``attribute=value``, best
    first. ``caps`` are all that hold anywhere, of policies those of every version in service. ``toggles`` ask for
    themselves: no decision reads or records anything for their sake.
    """

    digest: bytes
    surfaces: Mapping[str, PlannedSurface]
    campaigns: Mapping[str, PlannedCampaign]
    best_variants: Mapping[str, NDArray[np.int64]]
    masks: Mapping[bytes, NDArray[np.bool_]]
    settings: Mapping[str, Ruleset] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    zone: str = "UTC"
    segmentation: Segmentation = STANDARD
    kinds: Mapping[str, Mask] = field(default_factory=dict)
    cohorts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    caps: tuple[PlannedCap, ...] = ()
    toggles: Toggles = field(default_factory=Toggles)
    held: dict[tuple[str, int, str, str | None], tuple[PlannedCap, ...]] = field(default_factory=dict, repr=False)
    """What ``caps_for`` found before: a plan has few versions, surfaces and campaigns, and every decision asks."""
    said: dict[tuple[str, str | None, int | None], Words] = field(default_factory=dict, repr=False)
    """The words of each surface and policy version, once somebody asked."""


def caps_for(plan: Plan, planned: PlannedPolicy | None, surface: str, campaign: str | None) -> tuple[PlannedCap, ...]:
    """Return the caps that hold in a decision by a policy version (None: by none): installation's, its own, and the
    campaign's."""
    if not plan.caps:
        return ()
    key = None if planned is None else (planned.key, planned.version, surface, campaign)
    found = plan.held.get(key) if key is not None else None
    if found is not None:
        return found
    own = [cap for cap in plan.caps if cap.level == "installation"] if planned is None else planned.caps
    running = plan.campaigns.get(campaign) if campaign is not None else None
    found = concerning((*own, *(running.caps if running is not None else ())), surface, campaign)
    if key is not None:
        plan.held[key] = found
    return found
