"""What was known of a person when each decision was made, rebuilt from the lake's events and from what was stated.

Point in time: an event counts from when it was taken in, never from when it happened, and nothing later than the
decision does. Where several engines kept what they knew to themselves, the others' events count here too.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any

import orjson

from scoring_core.features.past import Look, Step, unfolded
from scoring_core.features.signals import signal_of
from scoring_core.live import Shelf
from storage import consent, profiles, revisions
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.consent import Purpose
from storage.records.events import Event
from storage.records.policies import Installation
from storage.records.subjects import UserState

PAGE = 10_000

_ORDER = """
SELECT received_at AS moment, log, seq, subject, type, "at", session, item, value, properties, NULL AS decision_id
FROM (SELECT DISTINCT ON (event_id) * FROM events WHERE stored = 'full' AND subject IS NOT NULL
    AND received_at < $end ORDER BY event_id, received_at, replica, log, seq)
UNION ALL
SELECT "at", log, seq, subject, NULL, NULL, NULL, NULL, NULL, NULL, decision_id FROM decisions
WHERE user_vector IS NOT NULL AND subject IS NOT NULL AND "at" >= $start AND "at" < $end
ORDER BY moment, log, seq
"""
_ANYONE = """
SELECT 1 FROM decisions WHERE user_vector IS NOT NULL AND subject IS NOT NULL AND "at" >= $start AND "at" < $end LIMIT 1
"""

Agreed = Callable[[str, int], bool]
Timed = tuple[int, Step]


def past_states(
    database: Database, lake: Lake, *, shelf: Shelf, start: int = 0, end: int = 2**62
) -> Iterator[tuple[str, UserState | None]]:
    """Return, for each decision of a known person from ``start`` until before ``end``, what the engine knew of them,
    in order of time; faded to its moment is the caller's to do (``features.profile.settled``)."""
    with database.read() as read, lake.connect(read) as duck:
        asked = {"start": start, "end": end}
        if not duck.execute(_ANYONE, asked).fetchall():
            return
        snapshot = revisions.load(read)
        settings = Installation() if snapshot is None else snapshot.installation
        agreed = _agreed(read, settings)
        found = duck.execute(_ORDER, asked)
        events = _events(lambda: found.fetchmany(PAGE), settings, shelf, agreed)
        order = merge(_changes(read), events, key=lambda step: step[0])
        yield from unfolded(step for _, step in order)


def _events(
    page: Callable[[], list[tuple[Any, ...]]], settings: Installation, shelf: Shelf, agreed: Agreed
) -> Iterator[Timed]:
    while rows := page():
        for moment, _log, _seq, subject, kind, at, session, item, value, properties, decision_id in rows:
            if decision_id is not None:
                yield moment, Look(subject, decision_id)
                continue
            declared = settings.events.get(kind)
            if declared is None or not agreed(subject, moment):
                continue
            event = Event(
                event_id="",
                type=kind,
                at=at,
                received_at=moment,
                session=session,
                value=value,
                properties=orjson.loads(properties) if properties else {},
            )
            ordinal = None if item is None else shelf.ordinals.get(item)
            yield moment, signal_of(event, subject, declared, shelf, ordinal)


def _changes(read: Read) -> Iterator[Timed]:
    number = 0
    while page := profiles.after(read, number, PAGE):
        yield from ((change.at, change) for change in page)
        number = page[-1].number


def _agreed(read: Read, settings: Installation) -> Agreed:
    """Return whether a subject might be profiled at a moment: what they had said last, else the region's default."""
    said: dict[str, tuple[list[int], list[bool]]] = {}
    epoch = 0
    while page := consent.after(read, epoch, PAGE):
        for change in page:
            if change.purpose is Purpose.PROFILING:
                moments, states = said.setdefault(change.subject, ([], []))
                moments.append(change.at)
                states.append(change.state == "granted")
        epoch = page[-1].epoch
    default = settings.defaults_of().get(Purpose.PROFILING.value) == "allow"

    def agreed(subject: str, at: int) -> bool:
        moments, states = said.get(subject, ([], []))
        place = bisect_right(moments, at)
        return states[place - 1] if place else default

    return agreed
