"""Everything that a decision reads, swapped as one reference: revision, consent, models, catalogue, item features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.lists import Lists
from scoring_core.candidates.protocol import Retriever
from scoring_core.fatigue import Weariness
from scoring_core.features.tokens import Tokens
from scoring_core.scorers.protocol import Floats, Scorer
from storage.records.consent import ConsentFlags
from storage.records.events import Origin, Scalar
from storage.records.items import Catalogue
from storage.records.models import Calibration
from storage.records.policies import Snapshot
from storage.records.subjects import UserState
from storage.records.tallies import NOTHING_COUNTED, Tally

if TYPE_CHECKING:
    from scoring_core.candidates.search import FullText
    from scoring_core.candidates.vectors import Spaces
    from scoring_core.columns import Columns
    from scoring_core.plan import Plan


class ConsentView(Protocol):
    """The consent record as one replica holds it in memory."""

    epoch: int

    def flags(self, subject: str, region: str = "", /) -> ConsentFlags:
        """What holds for a subject now; the default of the region, or the installation's, where nothing was said."""

    def lease_holds(self, monotonic_us: int) -> bool:
        """Tell whether the state was read from the database recently enough to personalize."""


@dataclass(frozen=True, slots=True)
class Model:
    """A scorer in service with its calibration; ``categories`` lists, per feature of strings, the values in the order
    of their codes."""

    scorer: Scorer
    calibration: Calibration
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemFeatures:
    """Item features that move with events, at one epoch: shape (items, len(ITEM_STATS)), float64, never written to
    after it was published."""

    epoch: int
    values: Floats


@dataclass(frozen=True, slots=True)
class Shelf:
    """A catalogue made ready by ``scoring_core.shelf``: ordinals by id, vectors of items (items, USER_DIMENSIONS)
    float32, which may be served until they expire, when each does (None where none ever does), the digest of it, and
    by which tokens interests in its items are told."""

    catalogue: Catalogue
    ordinals: Mapping[str, int]
    vectors: NDArray[np.float32]
    servable: NDArray[np.bool_]
    expires_at: NDArray[np.int64] | None
    digest: bytes
    digests: NDArray[np.uint8]
    ends: NDArray[np.int64]
    columns: "Columns"
    texts: "FullText"
    spaces: "Spaces"
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True, slots=True)
class Live:
    """One consistent view; read once per request. ``scoring_core.compile`` makes it: ``plan`` is the snapshot compiled
    against the shelf and the models. A new ``items`` epoch is swapped in with ``dataclasses.replace``. ``lists`` only
    remembers: with it empty everything is decided alike."""

    snapshot: Snapshot
    consent: ConsentView
    models: Mapping[str, Model]
    shelf: Shelf
    items: ItemFeatures
    plan: "Plan"
    retrievers: Mapping[str, Retriever] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for.

    ``subject`` is a pseudonym or None (anonymous, or unknown because the database is away); ``candidates`` are item ids
    in the caller's order, unknown ones included, None when the caller named none; integers of ``context`` lie within
    64 bits. ``query`` is what was searched for, ``filters`` a condition over item attributes.
    """

    decision_id: str
    subject: str | None
    session: str | None
    sequence: int
    surface: str
    campaign: str | None
    slots: int
    context: Mapping[str, Scalar]
    candidates: tuple[str, ...] | None
    query: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    gpc: bool = False
    origin: Origin = "live"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge fetched for a consented subject; empty for everyone else.

    ``caps`` counts impressions within the windows of the caps, None where nobody could say; those of who did not
    consent are of the session alone. ``fatigue`` is what tires the person. ``plugins`` are the outputs of enrichers by
    ``plugin.key``; ``brought`` the item ids that a source of the edge found, by the source's model name.
    """

    user: UserState | None = None
    caps: Tally | None = NOTHING_COUNTED
    fatigue: Weariness | None = None
    plugins: Mapping[str, Scalar] = {}
    brought: Mapping[str, tuple[str, ...]] = {}
