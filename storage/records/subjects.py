"""What is known of a person who consented."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from storage.records.events import Counter, EventType, Scalar

USER_DIMENSIONS = 64
HALF_LIFE_S = EventType().half_life_s
MOST_RECENT = 50
MOST_INTERESTS = 20

COUNTERS: tuple[str, ...] = tuple(name for name in get_args(Counter) if name)
"""What is counted of a person, never fading; an event type says which of them it adds to."""

RECENT_DTYPE = np.dtype([("item", "<u4"), ("roles", "u1"), ("at", "<u4")])
"""One item that a person touched: its catalogue ordinal, the roles of what was done (bits of ``ROLES``), when last
(seconds since the epoch, UTC, cut to the minute)."""

INTEREST_DTYPE = np.dtype(
    [("token", "<u4"), ("score", "<f4"), ("stated", "<f4"), ("at", "<u4"), ("evidence", "u1"), ("source", "u1")]
)
"""One interest: the token of an item attribute or tag (``scoring_core.features.interests.token``), the faded implicit
score since it was last stated, what was stated (−1…1, NaN: nothing), since when this holds (seconds: when it was
stated, else the day when it was first shown by what was done), how many events speak of it since (at most 63), and
where it came from first (place in ``SOURCES``)."""

SOURCES = ("implicit", "stated", "quiz")
"""Where an interest came from: what was done, what was said, the answers of the style quiz."""

TOKEN_DTYPE = np.dtype([("token", "<u4"), ("weight", "<f4")])
"""A token of an item and what it contributes to the item's vector."""

STATED_WEIGHT = 2.0
"""What a stated interest of 1 weighs in the vector: as much as two events of weight 1 about nothing else."""

SESSION_GAP_S = 1_800
"""After so long without an event a new session begins."""

ROLES: Mapping[str, int] = {"shown": 1, "interest": 2, "commitment": 4, "rejection": 8}
"""The role of an event type, as a bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState:
    """What a decision may know of a person, as of ``updated_at`` (microseconds UTC). Arrays are little-endian bytes.

    ``vector``: decayed interests, float32 × ``USER_DIMENSIONS``; ``events`` counts what went in. ``counts``: float32,
    one per ``COUNTERS``. ``recent``: at most ``MOST_RECENT`` rows of ``RECENT_DTYPE``, each item once, the latest last.
    ``interests``: at most ``MOST_INTERESTS`` rows of ``INTEREST_DTYPE``, strongest first. ``first_at`` is when the
    person was first seen. ``attributes`` are what was stated: demographics, sizes, style, by flat name; a list is its
    sorted values joined by ``|``.
    """

    vector: bytes
    updated_at: int
    events: int
    counts: bytes = b""
    recent: bytes = b""
    interests: bytes = b""
    first_at: int = 0
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    half_life_s: float = HALF_LIFE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedInterest:
    """One interest as a person stated it: ``value`` −1…1, since ``at`` (seconds), ``source`` a place in ``SOURCES``."""

    token: int
    value: float
    at: int
    source: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a person stated of themselves, as hot stores take it; a higher ``number`` is newer. ``at``: microseconds."""

    subject: str
    number: int
    at: int
    interests: tuple[StatedInterest, ...] = ()
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
