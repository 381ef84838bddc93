"""A snapshot compiled against a shelf and the models: what a decision need not work out again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Retriever
from scoring_core.features.table import FeatureTable
from scoring_core.live import Model
from scoring_core.rerank import PlannedRerank
from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.policies import Policy, Rollout
from storage.records.rules import Rule

Predicate = Callable[[Mapping[str, Any]], bool]
Mask = NDArray[np.bool_] | None
"""One flag per catalogue ordinal; None lets everything through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """A rule, its condition over the context, and which items it touches."""

    rule: Rule
    when: Predicate
    items: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPolicy:
    """One policy version: ``model`` and ``table`` are None where the model that it names is not in service; rules come
    in the order in which they apply. ``retrievers`` are those that its sources and features ask, by name."""

    key: str
    version: int
    policy: Policy
    filters: Mask
    rules: tuple[PlannedRule, ...]
    caps: tuple[Cap, ...]
    rerank: PlannedRerank | None
    retrievers: Mapping[str, Retriever]
    model_name: str | None
    model: Model | None
    table: FeatureTable | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSurface:
    """The policy of a surface: its stable version, and the one that is being rolled out, to whom."""

    stable: PlannedPolicy | None
    rolling: PlannedPolicy | None
    rollout: Rollout | None
    segment: Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCampaign:
    """A campaign, who is eligible, and which items belong to it."""

    campaign: Campaign
    eligible: Predicate
    items: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The compiled snapshot and its ``digest``.

    ``best_variants`` holds catalogue ordinals, best first, by ``surface/campaign``; ``masks`` are kept by condition, so
    that the next plan of the same shelf works out only what is new. ``reads`` names the parts of ``UserState`` beyond
    the vector that anything here asks for: no record holds more of a person than that.
    """

    digest: bytes
    surfaces: Mapping[str, PlannedSurface]
    campaigns: Mapping[str, PlannedCampaign]
    best_variants: Mapping[str, NDArray[np.int64]]
    masks: Mapping[bytes, NDArray[np.bool_]]
    reads: frozenset[str] = frozenset()
