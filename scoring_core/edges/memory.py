"""What a replica remembers of itself from its own log: item epochs, and the vectors of a store in memory."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator

from scoring_core.edges.caps import Batch, Rationing, holder_of
from scoring_core.edges.people import People
from scoring_core.edges.popularity import Popularity
from scoring_core.features.signals import signal_of
from scoring_core.live import Live
from storage.eventlog.protocol import EventLog
from storage.hot.protocol import HotStore, Signal
from storage.records import wire
from storage.records.events import Entry, Event, ItemEpoch

PAGE = 5_000
LOOK_BACK = 200_000
"""How many entries a start looks back: for the last epoch, and for what people did."""


def epoch_key(epoch: int) -> str:
    """Return the log's key of an epoch."""
    return f"epoch:{epoch}"


def epochs_until(log: EventLog, epoch: int) -> list[ItemEpoch] | None:
    """Return the last keyframe at or before ``epoch`` and what followed it; None where the log no longer holds them."""
    found: list[ItemEpoch] = []
    for number in range(epoch, 0, -1):
        entry = log.find(epoch_key(number))
        if entry is None:
            return None
        found.append(wire.decode(ItemEpoch, entry.payload))
        if found[-1].keyframe:
            return found[::-1]
    return None


def last_epoch(log: EventLog) -> tuple[int, int] | None:
    """Return the last epoch's number and its place in the log; None where there is none among the latest entries."""
    head = log.head()
    for start in range(head - PAGE, head - PAGE - LOOK_BACK, -PAGE):
        page = log.read(max(start, 0), min(PAGE, PAGE + start) if start < 0 else PAGE)
        for entry in reversed(page):
            if entry.kind == "epoch":
                return wire.decode(ItemEpoch, entry.payload).epoch, entry.seq
        if start <= 0:
            return None
    return None


def continue_epochs(log: EventLog, popularity: Popularity) -> int:
    """Continue the item features where the log's last epoch left them; return that epoch's place in the log, or where
    looking back ends if there is none."""
    last = last_epoch(log)
    if last is None:
        return max(log.head() - LOOK_BACK, 0)
    number, place = last
    epochs = epochs_until(log, number)
    if epochs is None:
        popularity.epoch = number
        return log.head()
    popularity.restore(epochs)
    return place


def note_again(log: EventLog, popularity: Popularity, live: Live, *, after: int, until: int) -> None:
    """Gather the events that no epoch carried any more; gathering knows no order, so new ones may come in between."""
    for entry in _entries(log, after, until):
        if entry.kind == "event":
            event = wire.decode(Event, entry.payload)
            ordinal = live.shelf.ordinals.get(event.item or "")
            kind = live.snapshot.installation.events.get(event.type)
            if ordinal is not None and kind is not None:
                popularity.note(ordinal, event.type, kind.weight, event.at)


def signals(log: EventLog, live: Live, *, until: int) -> Iterator[list[tuple[int, Signal]]]:
    """Return, page by page, what the latest events up to ``until`` taught about people who allow profiling, and when
    each was taken in."""
    types, shelf = live.snapshot.installation.events, live.shelf
    batch: list[tuple[int, Signal]] = []
    for entry in _entries(log, max(until - LOOK_BACK, 0), until):
        if entry.kind != "event":
            continue
        event = wire.decode(Event, entry.payload)
        kind = types.get(event.type)
        if event.subject is not None and kind is not None and live.consent.flags(event.subject).profiling:
            signal = signal_of(event, event.subject, kind, shelf, shelf.ordinals.get(event.item or ""))
            batch.append((event.received_at, signal))
        if len(batch) >= PAGE:
            yield batch
            batch = []
    yield batch


def impressions(log: EventLog, live: Live, rationing: Rationing, *, until: int) -> Iterator[Batch]:
    """Return, page by page, what the latest events up to ``until`` counted; sessions of who does not agree to be
    tracked are not in the log, and begin anew."""
    types = live.snapshot.installation.events
    batch = Batch()
    for entry in _entries(log, max(until - LOOK_BACK, 0), until):
        if entry.kind != "event":
            continue
        event = wire.decode(Event, entry.payload)
        kind = types.get(event.type)
        if kind is not None and event.stored == "full":
            flags = None if event.subject is None else live.consent.flags(event.subject)
            holder = holder_of(event.subject, event.session, flags)
            rationing.note(batch, event, holder, live, role=kind.role, decision_id=event.decision_id)
        if len(batch.shown) >= PAGE:
            yield batch
            batch = Batch()
    yield batch


async def relearn(log: EventLog, live: Live, hot: HotStore, people: People, *, until: int) -> None:
    """Let a store that lost everything take again what was learned and stated, in the order in which it came."""
    for batch in signals(log, live, until=until):
        begin = 0
        while begin < len(batch):
            change = await people.next_at()
            end = len(batch)
            if change is not None:
                end = bisect_left(batch, change, lo=begin, key=lambda taken: taken[0])
            await hot.learn([signal for _, signal in batch[begin:end]])
            begin = end
            if begin < len(batch):
                await people.advance()
            await asyncio.sleep(0)


def _entries(log: EventLog, after: int, until: int) -> Iterator[Entry]:
    while after < until:
        page = log.read(after, min(PAGE, until - after))
        if not page:
            return
        yield from page
        after = page[-1].seq
