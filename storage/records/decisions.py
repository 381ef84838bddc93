"""The decision's record: replay, audits and off-policy evaluation live on it."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from storage.records.events import Origin, Scalar

ServedBy = Literal["model", "fallback", "rules", "default"]
PropensityKind = Literal["conditional", "marginal", "none"]

CANDIDATE_DTYPE = "<u4"
SCORE_DTYPE = "<f8"
RANK_DTYPE = "<u2"
VECTOR_DTYPE = "<f4"


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """One decision, its inputs once, and what came of it.

    Arrays are little-endian bytes: ``candidates`` u4 catalogue ordinals, ``scores`` f8 (one per candidate, NaN
    where the candidate was not scored), ``ranking`` u2 places in ``candidates`` of the slots served, best first,
    ``user_vector`` f4, faded to ``at``; ``user_events`` is how many events went into it. ``items`` are the ids
    served, best first, at ``positions`` (1-based; empty means 1…k). The other ``user_`` fields are those of
    ``UserState``, empty where the policy version reads none of it. ``retrievers`` maps each retriever that was
    asked to its version, ``sources`` each candidate source to how many it brought, ``plugins`` the enrichers'
    outputs by ``plugin.key``, ``brought`` the items that a source outside the decision found, ``cap_counts`` each
    counter that was looked at to how often within its window (None: nobody could say), ``caps`` the caps that held
    something back, ``withheld`` the items that were chosen and not shown, since other decisions had reached their cap
    meanwhile; ``fatigue`` is f4: the person's, the campaign's, then one per candidate (empty: none was asked);
    ``rerank_cost`` is the share of NDCG that fair re-ranking gave up. A decision of no slots is about the app's
    configuration: ``settings`` is what was answered, and ``reasons`` are by setting, in the order of their names.
    ``propensity`` has one value per slot served. ``at`` is microseconds UTC. ``stage_us`` maps a stage to its duration
    in microseconds. ``input_digest`` is BLAKE2b-128 over every input (16 bytes), then a 64-bit sum of the feature
    matrix.
    """

    decision_id: str
    at: int
    replica: str
    subject: str | None
    session: str | None
    sequence: int
    surface: str
    campaign: str | None
    slots: int
    revision: int
    consent_epoch: int
    policy: str | None
    version: int | None
    bucket: float | None
    arms: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    model_version: str | None = None
    scorer: str | None = None
    catalogue: int = 0
    item_feature_epoch: int = 0
    served_by: ServedBy
    reason: str
    consent: Mapping[str, bool] | None = None
    context: Mapping[str, Scalar] = field(default_factory=dict)
    user_vector: bytes | None = None
    user_events: int | None = None
    user_counts: bytes = b""
    user_recent: bytes = b""
    user_interests: bytes = b""
    user_first_at: int = 0
    user_attributes: Mapping[str, Scalar] = field(default_factory=dict)
    query: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    retrievers: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    candidates: bytes = b""
    caller_candidates: bool = False
    plugins: Mapping[str, Scalar] = field(default_factory=dict)
    brought: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cap_counts: Mapping[str, int] | None = None
    fatigue: bytes = b""
    input_digest: bytes = b""
    scores: bytes = b""
    confidence_raw: float | None = None
    confidence: float | None = None
    confidence_reason: str | None = None
    ranking: bytes = b""
    items: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    propensity: tuple[float, ...] = ()
    propensity_kind: PropensityKind = "conditional"
    propensity_reason: str | None = None
    rng_seed: int = 0
    rules: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    rerank_cost: float | None = None
    reasons: tuple[tuple[str, ...], ...] = ()
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    runtime: str = ""
    stage_us: Mapping[str, int] = field(default_factory=dict)
    assume_impression: bool = False
    join_window_s: int = 86_400
    origin: Origin = "live"
