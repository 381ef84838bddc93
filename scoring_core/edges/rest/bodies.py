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


class ProfileBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person states; null takes one back. ``subject`` is left out where the path names it."""

    subject: Raw | None = None
    attributes: Annotated[dict[str, Any], Meta(max_length=100)] = {}
    interests: Annotated[dict[str, Any], Meta(max_length=100)] = {}


class QuizBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """The answers of the style quiz."""

    subject: Raw
    answers: Annotated[list[Key], Meta(max_length=50)]


class IdentityBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which visitor turned out to be which account."""

    visitor: Raw
    account: Raw


class SubjectBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whom a command is about."""

    subject: Raw


class FeedbackBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person says of an item: a rating of 1 to 5, or another declared type of event."""

    subject: Raw
    type: Annotated[str, Meta(min_length=1, max_length=64)] = "rating"
    item: Key | None = None
    surface: Key | None = None
    decision_id: Key | None = None
    event_id: Raw | None = None
    value: float | None = None
    properties: Annotated[dict[str, Scalar], Meta(max_length=32)] = {}


PROFILE = Decoder(ProfileBody)
QUIZ = Decoder(QuizBody)
IDENTITY = Decoder(IdentityBody)
SUBJECT = Decoder(SubjectBody)
FEEDBACK = Decoder(FeedbackBody)
DECISION = Decoder(DecisionBody)
CONFIG = Decoder(ConfigBody)
EVENT = Decoder(EventBody)
EVENTS = Decoder(list[EventBody])
BATCH = Decoder(EventBatch)
