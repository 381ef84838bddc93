"""What one event says: how strongly it speaks of an interest, and what it adds to the counters.

How a value is read depends on the counter of the event's type, so that declared types share the meaning:

=========  =============================================  ==========================================
counter    weight is the type's, times                    the counter grows by
=========  =============================================  ==========================================
ratings    (value − 3) / 2, cut to −1…1: 1 is a dislike   1
dwell_s    1 − e^(−s / 30): half a minute is most of it   the seconds, at most an hour
purchases  1                                              1, and ``spend`` by the value
others     1                                              1
=========  =============================================  ==========================================

A rating or a dwell time without a value says nothing of an interest. The property ``device`` (mobile, tablet, desktop)
adds to ``mobile`` or ``desktop``, ``login_level`` (anonymous, recognized, authenticated, strong, or 0–3) tells how well
the person is known; a login that does not say is authenticated.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from storage.records.events import Event, EventType, Scalar
from storage.records.subjects import COUNTERS

RATING_MIDDLE, RATING_REACH = 3.0, 2.0
DWELL_SCALE_S, DWELL_MOST_S = 30.0, 3_600.0
MOST_SPENT = 1e6
"""What one event may add to ``spend`` at most."""

PLACE = {name: place for place, name in enumerate(COUNTERS)}
DEVICES = {"mobile": "mobile", "tablet": "mobile", "desktop": "desktop"}
LEVELS = {"anonymous": 0, "recognized": 1, "authenticated": 2, "strong": 3}

Adds = tuple[tuple[int, float], ...]


class Evidence(NamedTuple):
    """The weight of an event, what it adds to which counter (place in COUNTERS), and the login level that it tells."""

    weight: float
    adds: Adds
    level: int | None


class Reading(NamedTuple):
    """A factor for the weight, and amounts by counter."""

    factor: float
    adds: Adds


def _rated(value: float | None) -> Reading:
    factor = 0.0 if value is None else (value - RATING_MIDDLE) / RATING_REACH
    return Reading(min(max(factor, -1.0), 1.0), ((PLACE["ratings"], 1.0),))


def _dwelt(value: float | None) -> Reading:
    seconds = min(max(value or 0.0, 0.0), DWELL_MOST_S)
    return Reading(1.0 - math.exp(-seconds / DWELL_SCALE_S), ((PLACE["dwell_s"], seconds),))


def _bought(value: float | None) -> Reading:
    spent = min(max(value or 0.0, 0.0), MOST_SPENT)
    return Reading(1.0, ((PLACE["purchases"], 1.0), (PLACE["spend"], spent)))


def _bare(amount: float | None) -> Reading:
    return Reading(1.0, ((PLACE["spend"], min(max(amount or 0.0, 0.0), MOST_SPENT)),))


READINGS: Mapping[str, Callable[[float | None], Reading]] = {
    "ratings": _rated,
    "dwell_s": _dwelt,
    "purchases": _bought,
    "spend": _bare,
}
_PLAIN: Mapping[str, Reading] = {
    "": Reading(1.0, ()),
    **{name: Reading(1.0, ((place, 1.0),)) for name, place in PLACE.items() if name not in READINGS},
}
_NOTHING: Mapping[str, Scalar] = {}


def evidence(event: Event, kind: EventType) -> Evidence:
    """Return what an event says under the settings of its type.

    >>> from storage.records.standard_events import standard_events
    >>> poor = Event(event_id="e", type="rating", at=0, received_at=0, value=1.0)
    >>> evidence(poor, standard_events()["rating"]).weight
    -2.0
    """
    reading = _PLAIN.get(kind.counter) or READINGS[kind.counter](event.value)
    adds, level = reading.adds, None
    said = event.properties or _NOTHING
    if said:
        device = DEVICES.get(str(said.get("device", "")).lower())
        if device is not None:
            adds = (*adds, (PLACE[device], 1.0))
        level = _level(said.get("login_level"))
    if level is None and kind.counter == "logins":
        level = LEVELS["authenticated"]
    return Evidence(kind.weight * reading.factor, adds, level)


def _level(said: Scalar | None) -> int | None:
    if isinstance(said, str):
        return LEVELS.get(said.lower())
    return int(said) if said is not None and said in LEVELS.values() else None


@lru_cache(maxsize=1 << 16)
def session_number(session: str | None) -> int:
    """Return 32 bits of a session's key; 0 for none.

    >>> session_number(None), session_number("a") != session_number("b")
    (0, True)
    """
    if session is None:
        return 0
    return int.from_bytes(blake2b(session.encode(), digest_size=4).digest(), "little") or 1
