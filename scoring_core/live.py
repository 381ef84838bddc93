"""Everything that a decision reads, swapped as one reference: revision, consent, models, catalogue, item features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats, Scorer
from storage.records.consent import ConsentFlags
from storage.records.events import Scalar
from storage.records.items import Catalogue
from storage.records.models import Calibration
from storage.records.policies import Snapshot
from storage.records.subjects import UserState


class ConsentView(Protocol):
    """The consent record as one replica holds it in memory."""

    epoch: int

    def flags(self, subject: str) -> ConsentFlags:
        """What holds for a subject now; the installation's default where nothing was said."""

    def lease_holds(self, monotonic_us: int) -> bool:
        """Tell whether the state was read from the database recently enough to personalize."""


@dataclass(frozen=True, slots=True)
class Model:
    """A scorer in service with its calibration."""

    scorer: Scorer
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class ItemFeatures:
    """Item features that move with events, at one epoch: shape (items, len(ITEM_STATS)), float64, never written to
    after it was published."""

    epoch: int
    values: Floats


@dataclass(frozen=True, slots=True)
class Shelf:
    """A catalogue made ready: ordinals by id, vectors of items (items, USER_DIMENSIONS) float32, and which may be
    served at all."""

    catalogue: Catalogue
    ordinals: Mapping[str, int]
    vectors: NDArray[np.float32]
    servable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Live:
    """One consistent view; read once per request."""

    snapshot: Snapshot
    consent: ConsentView
    models: Mapping[str, Model]
    shelf: Shelf
    items: ItemFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for. ``subject`` is a pseudonym or None (anonymous, or unknown because the database is away);
    ``candidates`` are item ids in the caller's order, unknown ones included, None when the caller named none."""

    decision_id: str
    subject: str | None
    session: str | None
    sequence: int
    surface: str
    campaign: str | None
    slots: int
    context: Mapping[str, Scalar]
    candidates: tuple[str, ...] | None
    gpc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the edge fetched for a consented subject; empty for everyone else."""

    user: UserState | None = None
