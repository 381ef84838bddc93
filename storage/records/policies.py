"""What may be served, how: policies, their versions, and the numbered snapshot that engines read."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.campaigns import Campaign
from storage.records.caps import Cap, Fatigue
from storage.records.document import document
from storage.records.events import EventType, Scalar
from storage.records.retention import Retention
from storage.records.rules import Rule
from storage.records.segments import SegmentRule
from storage.records.toggles import Toggle

FallbackRung = Literal["best_variant", "popular", "caller"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


@document
class ScorerChoice:
    """Which scorer ranks, and its parameters (``scoring_core.scorers.choice`` lists both); ``gbdt`` takes
    ``{"model": NAME}``."""

    name: str = "popular"
    parameters: Mapping[str, Any] = field(default_factory=dict)


@document
class ConfidenceRule:
    """Below ``threshold`` the fallback serves; ``when_uncalibrated`` decides where no confidence can be given."""

    threshold: Share = 0.6
    when_uncalibrated: Literal["fallback", "model"] = "fallback"


SourceName = Literal[
    "caller",
    "catalogue",
    "popular",
    "trending",
    "factors",
    "hybrid",
    "content",
    "sequences",
    "vectors",
    "search",
    "plugin",
]


@document
class Source:
    """A candidate source and how many items it may bring. ``model`` names the retriever of ``factors``, ``hybrid``,
    ``content`` and ``sequences`` (empty: the one of that kind's own name), the plugin of ``plugin``, the external index
    of ``search`` (empty: the catalogue's own text), the space of ``vectors``, and the cohort attribute of ``trending``
    (empty: everyone)."""

    name: SourceName
    model: str = ""
    quota: Annotated[int, Field(ge=1, le=10_000)] = 200


@document
class Exploration:
    """``epsilon`` is the total probability per slot that goes to exploration, shared equally by the eligible items."""

    epsilon: Share = 0.05


@document
class Rerank:
    """Fair exposure: every group of the item attribute ``attribute`` (``item_id``: every item) gets at least ``share``
    of what its candidates' number entitles it to, of the exposure 1 / log2(1 + rank) of the slots."""

    attribute: str
    share: Share = 0.8


@document
class Policy:
    """One immutable version of what a surface does; closed schema.

    ``seen`` names the roles after which an item is not shown to a person again, ``seen_days`` for how long. ``match``
    maps an item attribute to the stated attribute of the person that must contain it (``{"size": "preferred_sizes"}``).
    ``enrichers`` names the plugins that are asked before a decision; what they answer are facts of it.
    ``when_uncounted`` says what happens while nobody can say what a person was shown: capped items are served or held
    back. An item's score halves with every ``fatigue_tolerance`` unanswered impressions (None: it does not).
    """

    surface: str
    scorer: ScorerChoice = field(default_factory=ScorerChoice)
    confidence: ConfidenceRule = field(default_factory=ConfidenceRule)
    fallback: tuple[FallbackRung, ...] = ("best_variant", "popular", "caller")
    sources: tuple[Source, ...] = (Source(name="caller"), Source(name="catalogue"))
    filters: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[Literal["interest", "commitment", "rejection"], ...] = ()
    seen_days: Annotated[int, Field(ge=1, le=3_650)] = 365
    match: Mapping[str, str] = field(default_factory=dict)
    enrichers: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    caps: tuple[Cap, ...] = ()
    when_uncounted: Literal["serve", "hold"] = "serve"
    fatigue_tolerance: Annotated[float, Field(gt=0.0, le=1e6)] | None = None
    rerank: Rerank | None = None
    exploration: Exploration = field(default_factory=Exploration)
    join_window_s: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    assume_impression: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)


@document
class Rollout:
    """A version on its way: subjects whose bucket is below ``percent`` / 100, and who match ``segment``, get it."""

    version: int
    percent: Annotated[float, Field(ge=0.0, le=100.0)]
    seed: str
    hash_version: int = 2
    segment: Mapping[str, Any] = field(default_factory=dict)
    started_at: int = 0


@document
class PolicyState:
    """One policy as engines see it: the stable version, the one being rolled out, and both documents."""

    key: str
    surface: str
    stable: int | None = None
    rollout: Rollout | None = None
    versions: Mapping[int, Policy] = field(default_factory=dict)


@document
class Attribute:
    """A declared attribute of a context or of a person. Closed: what is not declared is refused. Of a context no
    attribute is a list; ``any`` is what a plugin says."""

    type: Literal["string", "number", "boolean", "list", "any"]
    sensitive: bool = False


@document
class Surface:
    """A place where items are shown: the kinds of items (empty: all), the context that it may send, and its templates
    for reasons."""

    key: str
    context: Mapping[str, Attribute] = field(default_factory=dict)
    item_kinds: tuple[str, ...] = ()
    default_slots: int = 3
    max_slots: int = 100
    reasons: Mapping[str, str] = field(default_factory=dict)


@document
class Installation:
    """Settings of the installation, versioned by revision; not policy.

    ``attributes`` are what people may state of themselves; ``quiz`` maps an answer of the style quiz to interests
    (token → −1…1); ``app`` is the app's configuration before rules adapt it; ``zone`` (an IANA name) is whose hours
    conditions ask outside a campaign. ``segments`` changes a standard segment by name, or adds a marketer's own.
    ``fatigue`` is how impressions tire (None: it is not kept). ``retention`` is how long what was seen is kept.
    ``region`` is where everyone is, unless ``region_from`` names the attribute of the context, or the property of an
    event, by which callers tell it for each person. ``creator`` names the item attribute that says who made an item
    (empty: the first of the usual names that any item has).
    """

    region: str = "default"
    region_from: str = ""
    zone: str = "UTC"
    consent_default: Mapping[str, Mapping[str, Literal["allow", "deny"]]] = field(
        default_factory=lambda: {"default": {}}
    )
    events: Mapping[str, EventType] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    quiz: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    app: Mapping[str, Scalar] = field(default_factory=dict)
    segments: Mapping[str, SegmentRule] = field(default_factory=dict)
    fatigue: Fatigue | None = None
    surfaces: Mapping[str, Surface] = field(default_factory=dict)
    creator: str = ""
    retention: Retention = field(default_factory=Retention)

    def defaults_of(self, region: str = "") -> Mapping[str, Literal["allow", "deny"]]:
        """Return what holds in a region for who said nothing; a purpose that is not named is denied. Without a region
        the installation's own holds, or ``default`` where each person has theirs."""
        named = region or ("default" if self.region_from else self.region)
        return self.consent_default.get(named, self.consent_default.get("default", {}))


@document
class KillSwitch:
    """While on, everyone gets the default experience."""

    on: bool = False
    since: int | None = None
    reason: str = ""


@document
class Snapshot:
    """Everything that engines need to decide but consent, models and items; immutable, numbered, swapped whole.

    ``best_variants`` maps ``surface/campaign`` to the item ids of the best-variant rung, best first; ``trending``
    what trends in a cohort, by ``attribute=value``; ``models`` maps a model's name to the version in service.
    """

    revision: int
    at: int
    environment: str = "development"
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    installation: Installation = field(default_factory=Installation)
    policies: Mapping[str, PolicyState] = field(default_factory=dict)
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    caps: Mapping[str, Cap] = field(default_factory=dict)
    best_variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trending: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    toggles: Mapping[str, Toggle] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
