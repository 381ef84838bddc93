"""Takes events in: judged, stripped of what is not consented, durable, learned; only then acknowledged."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uuid_utils import uuid7

from scoring_core.edges.caps import Batch, Rationing, holder_of
from scoring_core.edges.identities import Identities
from scoring_core.edges.instruments import OTHER, Count, Spread
from scoring_core.edges.judgement import Flawed, dead_letter, event_time, judge
from scoring_core.edges.popularity import Popularity
from scoring_core.edges.rest.bodies import EventBody
from scoring_core.edges.telemetry import Telemetry
from scoring_core.features.signals import signal_of
from scoring_core.live import Live
from storage.errors import Problem, Unavailable
from storage.eventlog.protocol import Draft, EventLog
from storage.hot.caps import Holder
from storage.hot.protocol import HotStore, Signal
from storage.records import wire
from storage.records.clock import SECOND
from storage.records.consent import ConsentFlags
from storage.records.events import Event, Origin

CHUNK = 250
"""After so many events of a batch others get their turn."""
NOTHING_SAID = ""
"""Stands for a caller without a subject: the installation's defaults hold."""


@dataclass(slots=True)
class Taken:
    """What became of what was sent; ``problems`` names each refused one by its place."""

    full: int = 0
    aggregate: int = 0
    duplicates: int = 0
    problems: list[tuple[int, str, Problem]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judged:
    """An event as it is stored, what its subject agreed to, for whom its impression is counted, and of which
    decision."""

    event: Event
    flags: ConsentFlags
    holder: Holder | None
    decision_id: str | None


class Intake:
    """The events' way into one replica.

    Parameters
    ----------
    session_key
        Turns a raw session id into a keyed one.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        hot: HotStore,
        identities: Identities,
        popularity: Popularity,
        rationing: Rationing,
        telemetry: Telemetry,
        session_key: Callable[[str], str],
        now: Callable[[], int],
        monotonic_us: Callable[[], int],
        on_hot_failure: Callable[[], None],
    ) -> None:
        self._log = log
        self._hot = hot
        self._identities = identities
        self._popularity = popularity
        self._rationing = rationing
        self._telemetry = telemetry
        self._session_key = session_key
        self._now = now
        self._monotonic_us = monotonic_us
        self._on_hot_failure = on_hot_failure
        self._counts: dict[str, tuple[Count, Count, Count, Spread]] = {}
        self._dead = telemetry.events.child(OTHER, "dead_letter")
        self.dead_letters = 0

    async def take(self, received: Sequence[EventBody | Flawed], live: Live, origin: Origin) -> Taken:
        """Take a batch in. When this returns every accepted event is durable and the next decision sees it.

        Raises
        ------
        Unavailable
            When nothing was stored: no acknowledgement may be given.
        """
        raws = {each.subject for each in received if isinstance(each, EventBody) and each.subject is not None}
        pseudonyms = await self._identities.pseudonyms(raws) if raws else {}
        now = self._now()
        relied = live.consent.lease_holds(self._monotonic_us())
        region_from = live.snapshot.installation.region_from
        taken = Taken()
        events: list[Judged | None] = []
        drafts: list[Draft] = []
        for place, each in enumerate(received):
            if place % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
            flaw = each if isinstance(each, Flawed) else judge(each, live, now)
            if flaw is None and isinstance(each, EventBody):
                subject = None if each.subject is None else pseudonyms.get(each.subject)
                known = relied and (each.subject is None or subject is not None)
                region = str(each.properties.get(region_from, "")) if region_from else ""
                flags = live.consent.flags(subject or NOTHING_SAID, region) if known else NO_CONSENT
                event = self._event(each, subject=subject, tracked=flags.tracking, now=now, origin=origin)
                session = None if each.session is None else self._session_key(each.session)
                holder = holder_of(subject if known else None, session, flags)
                events.append(Judged(event, flags, holder, each.decision_id))
                drafts.append(Draft(kind="event", at=now, payload=wire.encode(event), key=event.event_id))
            elif flaw is not None:
                events.append(None)
                drafts.append(dead_letter(flaw, now))
                taken.problems.append((place, flaw.code, flaw.problem))
        numbers = await self._log.append(drafts)
        await self._settle(events, numbers, live, taken)
        return taken

    def _event(self, body: EventBody, *, subject: str | None, tracked: bool, now: int, origin: Origin) -> Event:
        event_id = body.event_id or str(uuid7())
        at = event_time(body.at, now)
        if not tracked:
            return Event(
                event_id=event_id,
                type=body.type,
                at=at,
                received_at=now,
                item=body.item,
                surface=body.surface,
                campaign=body.campaign,
                stored="aggregate",
                origin=origin,
            )
        return Event(
            event_id=event_id,
            type=body.type,
            at=at,
            received_at=now,
            subject=subject,
            session=None if body.session is None else self._session_key(body.session),
            item=body.item,
            surface=body.surface,
            campaign=body.campaign,
            decision_id=body.decision_id,
            value=body.value,
            properties=body.properties,
            origin=origin,
        )

    async def _settle(
        self,
        events: Sequence[Judged | None],
        numbers: Sequence[int | None],
        live: Live,
        taken: Taken,
    ) -> None:
        """Count and learn what is durable now."""
        types, shelf = live.snapshot.installation.events, live.shelf
        signals: list[Signal] = []
        batch = Batch()
        for place, (made, number) in enumerate(zip(events, numbers, strict=True)):
            if place % CHUNK == CHUNK - 1:
                await asyncio.sleep(0)
            if made is None:
                self._dead.value += 1
                self.dead_letters += 1
                continue
            event, flags = made.event, made.flags
            accepted, duplicate, durable, lag = self._counts_of(event.type)
            if number is None:
                duplicate.value += 1
                taken.duplicates += 1
                continue
            accepted.value += 1
            durable.value += 1
            lag.observe(max(event.received_at - event.at, 0) / SECOND)
            if event.stored == "full":
                taken.full += 1
            else:
                taken.aggregate += 1
            ordinal = None if event.item is None else shelf.ordinals.get(event.item)
            kind = types[event.type]
            if ordinal is not None:
                self._popularity.note(ordinal, event.type, kind.weight, event.at)
            if event.subject is not None and flags.profiling:
                signals.append(signal_of(event, event.subject, kind, shelf, ordinal))
            self._rationing.note(batch, event, made.holder, live, role=kind.role, decision_id=made.decision_id)
        await self._rationing.count(batch, live)
        for start in range(0, len(signals), CHUNK):
            await self._learn(signals[start : start + CHUNK])
            await asyncio.sleep(0)

    async def _learn(self, signals: Sequence[Signal]) -> None:
        try:
            await self._hot.learn(signals)
        except Unavailable:
            self._on_hot_failure()

    def _counts_of(self, kind: str) -> tuple[Count, Count, Count, Spread]:
        found = self._counts.get(kind)
        if found is None:
            telemetry = self._telemetry
            found = self._counts[kind] = (
                telemetry.events.child(kind, "accepted"),
                telemetry.events.child(kind, "duplicate"),
                telemetry.durable.child(kind),
                telemetry.ingest_lag.child(kind),
            )
        return found


NO_CONSENT = ConsentFlags(tracking=False, personalization=False, profiling=False)
