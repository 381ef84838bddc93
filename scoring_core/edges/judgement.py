"""What is wrong with an event, and what is kept of one that was refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from scoring_core.edges.rest.bodies import EventBody
from scoring_core.edges.rest.mistakes import safe_name
from scoring_core.live import Live
from storage.errors import Problem
from storage.eventlog.protocol import Draft
from storage.records import wire
from storage.records.clock import MINUTE, instant
from storage.records.events import DeadLetter, Scalar

AHEAD_US = 5 * MINUTE
PAYLOAD_BYTES = 4_096
LARGEST_INT = 1 << 53
DEEPEST = 16
KEPT = frozenset(EventBody.__struct_fields__) - {"subject", "session", "properties"} | {"events"}
"""The fields of a refused body that its dead letter shows."""

MALFORMED = "malformed"
UNKNOWN_TYPE = "unknown_type"
UNKNOWN_SURFACE = "unknown_surface"
UNKNOWN_CAMPAIGN = "unknown_campaign"
CLOCK_AHEAD = "clock_ahead"
BAD_VALUE = "bad_value"


@dataclass(frozen=True, slots=True)
class Flawed:
    """Something that could not be read as an event; ``payload`` holds neither subject nor session."""

    problem: Problem
    payload: str = ""
    event_id: str | None = None
    code: str = MALFORMED


def judge(body: EventBody, live: Live, now: int) -> Flawed | None:
    """Say what is wrong with an event that could be read; None if nothing is."""
    snapshot = live.snapshot
    if body.type not in snapshot.installation.events:
        return _refuse(body, UNKNOWN_TYPE, "type", "is not a declared event type")
    if body.surface is not None and body.surface not in snapshot.installation.surfaces:
        return _refuse(body, UNKNOWN_SURFACE, "surface", "is not a known surface")
    if body.campaign is not None and body.campaign not in snapshot.campaigns:
        return _refuse(body, UNKNOWN_CAMPAIGN, "campaign", "is not a known campaign")
    if event_time(body.at, now) > now + AHEAD_US:
        return _refuse(body, CLOCK_AHEAD, "at", "is more than 5 minutes ahead of this server's clock")
    if body.properties and (problem := bad_scalar(body.properties, "properties")):
        return _refuse(body, BAD_VALUE, problem.field, problem.message)
    return None


def bad_scalar(values: Mapping[str, Scalar], where: str) -> Problem | None:
    """Find a value that no record can hold."""
    for name, value in values.items():
        if len(name) > 64:
            return Problem(field=where, message="has a name longer than 64 characters")
        if isinstance(value, str):
            if len(value) > 1_024:
                return Problem(field=f"{where}.{safe_name(name)}", message="is longer than 1024 characters")
        elif isinstance(value, int) and not -LARGEST_INT <= value <= LARGEST_INT:
            return Problem(field=f"{where}.{safe_name(name)}", message="is beyond 2^53; send a string")
    return None


def flawed(document: Any, problem: Problem) -> Flawed:
    """Describe an element that is no event, without what could name a person."""
    if not isinstance(document, dict):
        return Flawed(problem)
    event_id = document.get("event_id")
    text = (
        json.dumps(_nameless(document), default=str)
        .encode("utf-8", "replace")[:PAYLOAD_BYTES]
        .decode("utf-8", "ignore")
    )
    usable = isinstance(event_id, str) and len(event_id) <= 256 and event_id.isprintable()
    return Flawed(problem, payload=text, event_id=event_id if usable else None)


def _nameless(value: Any, depth: int = 0) -> Any:
    """Return of a document only what an event declares and what names nobody, however deep: a field under any other
    name may hold a person."""
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        return {key: _nameless(inner, depth + 1) for key, inner in value.items() if key in KEPT}
    return [_nameless(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def _refuse(body: EventBody, code: str, where: str, message: str) -> Flawed:
    known = msgspec.to_builtins(body)
    safe = {key: value for key, value in known.items() if key in KEPT and value is not None}
    payload = msgspec.json.encode(safe)[:PAYLOAD_BYTES].decode("utf-8", "ignore")
    return Flawed(Problem(field=where, message=message), payload=payload, event_id=body.event_id, code=code)


def dead_letter(flaw: Flawed, now: int) -> Draft:
    """Return the log's entry of a refused event."""
    letter = DeadLetter(
        event_id=flaw.event_id,
        received_at=now,
        code=flaw.code,
        field=flaw.problem.field,
        reason=flaw.problem.message,
        payload=flaw.payload,
    )
    return Draft(kind="dead_letter", at=now, payload=wire.encode(letter))


def event_time(at: datetime | int | None, now: int) -> int:
    """Return when an event happened, in microseconds UTC: now, where it does not say."""
    if at is None:
        return now
    return at if isinstance(at, int) else instant(at)
