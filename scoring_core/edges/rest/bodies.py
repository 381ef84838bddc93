"""What a caller may send: closed structs, read by msgspec in one pass."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.json import Decoder

from storage.records.events import Scalar

Key = Annotated[str, Meta(min_length=1, max_length=128)]
Raw = Annotated[str, Meta(min_length=1, max_length=256)]
Instant = Annotated[datetime, Meta(tz=True)]
Micros = Annotated[int, Meta(ge=0, le=253_402_300_799_000_000)]


class DecisionBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of ``/v1/personalize`` and ``/v1/rerank``; ``explain`` asks for the reasons as sentences."""

    surface: Key
    subject: Raw | None = None
    session: Raw | None = None
    campaign: Key | None = None
    slots: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    context: dict[str, Scalar] = {}
    candidates: Annotated[list[Key], Meta(max_length=10_000)] | None = None
    query: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    filters: dict[str, Any] = {}
    facets: Annotated[list[Key], Meta(max_length=20)] = []
    explain: bool = False


class ConfigBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of ``/v1/personalization/config``."""

    surface: Key
    subject: Raw | None = None
    session: Raw | None = None
    campaign: Key | None = None
    context: dict[str, Scalar] = {}


class EventBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """One event. ``at`` is event time, RFC 3339 or microseconds since the epoch; now when absent."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]
    event_id: Raw | None = None
    at: Instant | Micros | None = None
    subject: Raw | None = None
    session: Raw | None = None
    item: Key | None = None
    surface: Key | None = None
    campaign: Key | None = None
    decision_id: Key | None = None
    value: float | None = None
    properties: Annotated[dict[str, Scalar], Meta(max_length=32)] = {}


class EventBatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """Many events."""

    events: list[EventBody]


DECISION = Decoder(DecisionBody)
CONFIG = Decoder(ConfigBody)
EVENT = Decoder(EventBody)
EVENTS = Decoder(list[EventBody])
BATCH = Decoder(EventBatch)
