"""What a person's history tells: how interests came about, what was done, and the same learned anew."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.problems import Refused
from scoring_core.features.interests import token
from scoring_core.features.past import Look, Step, unfolded
from scoring_core.features.profile import PARTS, interests, settled
from scoring_core.features.signals import signal_of
from scoring_core.features.statements import statement
from scoring_core.gate import Refusal
from scoring_core.live import Live
from storage.errors import FairleadError
from storage.hot.protocol import Signal
from storage.records.clock import DAY, iso
from storage.records.events import Event
from storage.records.profiles import PersonChange

if TYPE_CHECKING:
    from scoring_core.edges.acts import Acts

MOST_SHOWN = 1_000
LONGEST_DAYS = 180
WISHED = "wishes"


def evolution(replica: Replica, live: Live, subject: str, admission: Any) -> dict[str, Any]:
    """Return the interests at the end of each day that changed them, rebuilt from the log; blocks."""
    if isinstance(admission, Refusal):
        return {"days": [], "learned_from": admission.reason}
    events, changes = _read(replica, subject)
    now = replica.now()
    names = dict(live.shelf.tokens.names)
    names |= {token(name): name for change in changes for name in change.profile.interests}
    days: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
    for day, user in unfolded(_by_day(live, subject, events, changes, since=now - LONGEST_DAYS * DAY)):
        end = min(int(day) + DAY, now)
        known = settled(user, end, reads=frozenset(PARTS)) if user is not None else None
        days[iso(int(day))[:10]] = [
            {
                "interest": each.name,
                "score": round(each.score, 6),
                "confidence": round(each.confidence, 6),
                "source": each.source,
            }
            for each in (interests(known, names) if known is not None else ())
            if each.name is not None
        ]
    return {"days": [{"day": day, "interests": found} for day, found in days.items()], "learned_from": "ok"}


def interactions(replica: Replica, live: Live, subject: str) -> dict[str, Any]:
    """Return the latest events of a person and the wishlist: wished for, and not bought since; blocks."""
    events, _ = _read(replica, subject)
    kinds = live.snapshot.installation.events
    wished: dict[str, int] = {}
    for event in events:
        kind = kinds.get(event.type)
        if event.item is None or kind is None:
            continue
        if kind.counter == WISHED:
            wished[event.item] = event.at
        elif kind.role in ("commitment", "rejection"):
            wished.pop(event.item, None)
    return {
        "interactions": [
            {"type": event.type, "item": event.item, "at": iso(event.at), "value": event.value}
            for event in events[: -MOST_SHOWN - 1 : -1]
        ],
        "wishlist": [{"item": item, "since": iso(at)} for item, at in wished.items()],
    }


async def recompute(replica: Replica, live: Live, subject: str) -> int:
    """Let all that the hot store holds of a person be what log and statements say; return of how many events."""
    events, changes = await asyncio.to_thread(_read, replica, subject)
    signals = [] if not live.consent.flags(subject).profiling else list(_signals(live, events, subject))
    said = [change for change in changes if change.kind == "stated" and change.subject == subject]
    try:
        await replica.hot.replace(subject, signals, statement(said[-1]) if said else None)
    except FairleadError as error:
        replica.dependencies.hot_failed()
        raise Refused(503, str(error), code=error.code, reason="overload") from None
    return len(signals)


def _read(replica: Replica, subject: str) -> tuple[list[Event], list[PersonChange]]:
    try:
        return _acts(replica).of(subject)
    except FairleadError as error:
        raise Refused(503, str(error), code=error.code, reason="overload") from None


def _acts(replica: Replica) -> "Acts":
    from scoring_core.edges.acts import Acts
    from storage.lake import Lake

    return Acts(replica.database, Lake(replica.config.home / "lake"), replica.log, replica=replica.config.replica)


def _signals(live: Live, events: Sequence[Event], subject: str | None = None) -> Iterator[Signal]:
    """Return what the events teach, of ``subject`` where one is given, else of whoever did them."""
    kinds, shelf = live.snapshot.installation.events, live.shelf
    for event in events:
        kind = kinds.get(event.type)
        if kind is not None and event.subject is not None:
            ordinal = None if event.item is None else shelf.ordinals.get(event.item)
            yield signal_of(event, subject or event.subject, kind, shelf, ordinal)


def _by_day(
    live: Live, subject: str, events: Sequence[Event], changes: Sequence[PersonChange], *, since: int
) -> Iterator[Step]:
    """Return the steps in the order in which they were taken, with a look at the end of each day that had any."""
    taken = [(event.received_at, event) for event in events]
    order: list[tuple[int, Event | PersonChange]] = sorted(
        [*taken, *((change.at, change) for change in changes)], key=lambda each: each[0]
    )
    day: int | None = None
    for at, what in order:
        if day is not None and at // DAY * DAY != day and day >= since:
            yield Look(subject, str(day))
        day = at // DAY * DAY
        yield from [what] if isinstance(what, PersonChange) else _signals(live, [what])
    if day is not None and day >= since:
        yield Look(subject, str(day))
