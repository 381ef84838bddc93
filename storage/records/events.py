"""What people did: events, and what the installation declares of each type of event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Struct, field
from pydantic import Field

from storage.records.document import document

Origin = Literal["live", "imported", "simulated"]
Scalar = str | float | int | bool
Role = Literal["none", "shown", "interest", "commitment", "rejection"]
Counter = Literal[
    "",
    "impressions",
    "views",
    "clicks",
    "purchases",
    "carts",
    "wishes",
    "searches",
    "likes",
    "rejections",
    "ratings",
    "sessions",
    "mobile",
    "desktop",
    "spend",
    "dwell_s",
    "logins",
]
"""What is counted of a person, never fading; empty for nothing."""


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One event as the log keeps it.

    ``at`` is event time, ``received_at`` the engine's clock, both in microseconds UTC. ``subject`` is a keyed
    pseudonym, never a raw id. ``stored`` is ``aggregate`` where tracking is not consented: subject, session and
    properties are then absent.
    """

    event_id: str
    type: str
    at: int
    received_at: int
    subject: str | None = None
    session: str | None = None
    item: str | None = None
    surface: str | None = None
    campaign: str | None = None
    decision_id: str | None = None
    value: float | None = None
    properties: Mapping[str, Scalar] = field(default_factory=dict)
    stored: Literal["full", "aggregate"] = "full"
    origin: Origin = "live"


@document
class EventType:
    """A declared event type: how strongly it speaks of an interest, how fast that fades (seconds), what it means
    (``role``), and which of ``storage.records.subjects.COUNTERS`` it adds to (empty: none)."""

    weight: float = 1.0
    half_life_s: Annotated[float, Field(gt=0.0)] = 604_800.0
    role: Role = "none"
    counter: Counter = ""


LogKind = Literal["event", "decision", "epoch", "dead_letter", "erased"]
"""``erased`` stands where something about a person was; nothing is left of it but its number and its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of an event log. ``seq`` starts at 1 and has no holes; ``payload`` is a record of ``kind``, encoded."""

    seq: int
    kind: LogKind
    at: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was refused: why, and which field; the payload as it came, cut at 4 KiB, subject removed."""

    event_id: str | None
    received_at: int
    code: str
    field: str
    reason: str
    payload: str


class ItemEpoch(Struct, frozen=True, kw_only=True, gc=False):
    """Item features that move with events, at one numbered epoch of one replica.

    ``rows`` maps an item's ordinal to its new values in the order of ``ITEM_STATS``; a keyframe holds every row that
    is not zero, so a state is rebuilt from the last keyframe and what follows it.
    """

    epoch: int
    at: int
    keyframe: bool
    rows: Mapping[int, tuple[float, ...]]


ITEM_STATS = ("impressions", "clicks", "popularity", "ctr", "trend")
