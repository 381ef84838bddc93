"""Frequency caps at the edge: counts fetched before a decision, slots reserved after it, impressions counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from scoring_core.cap_windows import window
from scoring_core.caps import PlannedCap, concerning, without
from scoring_core.edges.instruments import Count
from scoring_core.edges.telemetry import Telemetry
from scoring_core.edges.weariness import counters_of, unanswered, wearing, wearing_windows
from scoring_core.gate import Admission
from scoring_core.live import Facts, Live, Request
from scoring_core.plan import Plan, PlannedPolicy, caps_for
from storage.errors import Unavailable
from storage.hot.caps import RESERVED, CapStore, Claim, Counted, Holder, Shown, Windows
from storage.records.clock import MINUTE, SECOND
from storage.records.consent import Consented, ConsentFlags
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.tallies import Counter

RESERVED_S = 120
"""How long a slot counts as an impression that nobody has reported yet."""
ANSWERING = frozenset({"interest", "commitment"})
"""The roles of events after which what was shown tires no more."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a request has to count: for whom, the caps that may concern it, their windows, and whether fatigue is asked
    (``tires``) or only kept."""

    holder: Holder | None
    caps: tuple[PlannedCap, ...]
    windows: Windows
    half_life_s: float | None = None
    tires: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WorkedOut:
    """What a plan's caps are within one minute: all windows, and which caps concern a surface and a campaign."""

    plan: Plan | None
    minute: int
    windows: Windows
    concerned: dict[tuple[str, str | None], tuple[PlannedCap, ...]]

    def concerning(self, surface: str, campaign: str | None) -> tuple[PlannedCap, ...]:
        """Return the caps that concern a surface and a campaign, both of which are declared."""
        found = self.concerned.get((surface, campaign))
        if found is None:
            caps = self.plan.caps if self.plan is not None else ()
            found = self.concerned[surface, campaign] = concerning(caps, surface, campaign)
        return found


@dataclass(slots=True)
class Batch:
    """The impressions and the answers of some events, for one trip to the store."""

    shown: list[Shown] = field(default_factory=list)
    answered: list[tuple[Holder, Counter]] = field(default_factory=list)


def holder_of(subject: str | None, session: str | None, flags: ConsentFlags | None) -> Holder | None:
    """Return for whom is counted: who agreed to be known, else the session; None where there is neither."""
    if subject is not None and flags is not None and flags.personalization and flags.tracking:
        return Holder(subject)
    return None if session is None else Holder(session, session=True)


def mark_of(decision_id: str, item: str) -> int:
    """Return 31 bits that stand for an item of a decision; a second report of it has the same ones."""
    digest = blake2b(f"{decision_id}\0{item}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") & ~RESERVED


class Rationing:
    """Counts for caps and fatigue on one replica.

    A store that does not answer stops no decision: counts are then None in the record, and the policy's
    ``when_uncounted`` says what is served.
    """

    def __init__(
        self, store: CapStore, *, telemetry: Telemetry, now: Callable[[], int], on_failure: Callable[[], None]
    ) -> None:
        self._store = store
        self._now = now
        self._on_failure = on_failure
        self._checks = telemetry.cap_checks
        self._over = telemetry.cap_overserves
        self._bound: dict[tuple[str, str], Count] = {}
        self._worked_out = WorkedOut(None, 0, Windows(), {})

    def _current(self, live: Live) -> WorkedOut:
        """Return what holds of ``live`` within this minute."""
        minute = self._now() // MINUTE
        known = self._worked_out
        if known.plan is not live.plan or known.minute != minute:
            windows = _windows(live.plan.caps, live, minute * MINUTE)
            known = self._worked_out = WorkedOut(live.plan, minute, windows, {})
        return known

    def asked(self, request: Request, admission: Admission, live: Live) -> Asked | None:
        """Return what a request has to count, None where nothing holds that counts."""
        plan, fatigue = live.plan, live.snapshot.installation.fatigue
        if not plan.caps and fatigue is None:
            return None
        personal = isinstance(admission, Consented)
        current = self._current(live)
        caps = current.concerning(request.surface, request.campaign)
        wearies = fatigue is not None and personal
        if not caps and not wearies:
            return None
        subject = request.subject if personal else None
        place = plan.surfaces.get(request.surface)
        return Asked(
            holder=holder_of(subject, request.session, admission.flags),
            caps=caps,
            windows=current.windows,
            half_life_s=fatigue.half_life_s if fatigue is not None and wearies else None,
            tires=place is not None and any(each is not None and each.tires for each in (place.stable, place.rolling)),
        )

    async def facts(self, asked: Asked, request: Request) -> Facts:
        """Return the counts and the fatigue that a decision is to see; None where the store does not answer."""
        if asked.holder is None or not (asked.caps or asked.tires):
            return Facts()
        try:
            counted = await self._store.counted(asked.holder)
        except Unavailable:
            self._on_failure()
            return Facts(caps=None)
        return self._told(asked, counted, request)

    async def settle(
        self, record: Decision, asked: Asked, request: Request, live: Live, *, again: Callable[[Facts], Decision]
    ) -> Decision:
        """Reserve what a decision chose; where others were faster, choose once more (``again``, by the counts of now),
        and leave out what is taken even then."""
        held = record.cap_counts is not None
        try:
            if held and asked.holder is not None:
                record = await self._reserved(record, asked, asked.holder, request, live, again=again)
        except Unavailable:
            self._on_failure()
            held = False
            planned = _planned(record, live)
            if planned is not None and planned.policy.when_uncounted == "hold":
                record = again(Facts(caps=None))
        for cap in caps_for(live.plan, _planned(record, live), request.surface, request.campaign):
            self._count(cap.name, "degraded" if not held else "capped" if cap.name in record.caps else "allow")
        return record

    def note(
        self, batch: Batch, event: Event, holder: Holder | None, live: Live, *, role: str, decision_id: str | None
    ) -> None:
        """Add to a batch what an event counts for ``holder``; the decision is named beside it, for an event that is
        only counted names none."""
        ordinal = live.shelf.ordinals.get(event.item or "")
        if holder is None or ordinal is None or role not in ANSWERING | {"shown"}:
            return
        fatigue = live.snapshot.installation.fatigue
        if role != "shown":
            if fatigue is not None and not holder.session:
                batch.answered.append((holder, unanswered(ordinal)))
            return
        caps = concerning(live.plan.caps, event.surface, event.campaign)
        (counters,) = _counters(caps, (ordinal,), event.campaign)
        if fatigue is not None and not holder.session:
            counters += counters_of(ordinal, event.campaign)
        if counters:
            decided = decision_id is not None
            mark = mark_of(decision_id or event.event_id, event.item or "")
            at = min(event.at, event.received_at) // SECOND
            batch.shown.append(Shown(holder, mark, at, counters, decided=decided))

    async def count(self, batch: Batch, live: Live) -> None:
        """Count a batch; what the store does not take is counted nowhere, and the failure is shown."""
        if not batch.shown and not batch.answered:
            return
        try:
            if batch.shown:
                over = await self._store.impressed(batch.shown, self._current(live).windows)
                names = {cap.number: cap.name for cap in live.plan.caps}
                for number, times in over.items():
                    self._over.child(names.get(number, "")).add(times)
            for holder, counter in batch.answered:
                await self._store.answered(holder, counter)
        except Unavailable:
            self._on_failure()

    async def join(self, visitor: str, account: str) -> None:
        """Let what a visitor was shown count for the account that they turned out to be."""
        try:
            await self._store.merge(Holder(visitor), Holder(account))
        except Unavailable:
            self._on_failure()

    async def forget(self, holder: Holder) -> None:
        """Count nothing of a holder any more. Raises ``Unavailable``."""
        await self._store.forget(holder)

    async def close(self) -> None:
        """Let the store go."""
        await self._store.close()

    def _told(self, asked: Asked, counted: Counted, request: Request) -> Facts:
        told = counted.tally(asked.windows)
        tired = None
        if asked.tires and asked.half_life_s is not None:
            tired = wearing(counted, half_life_s=asked.half_life_s, campaign=request.campaign)
        return Facts(caps=told, fatigue=tired)

    async def _reserved(
        self,
        record: Decision,
        asked: Asked,
        holder: Holder,
        request: Request,
        live: Live,
        *,
        again: Callable[[Facts], Decision],
    ) -> Decision:
        for last in (False, True):
            claims = _claims(record, asked, live)
            if not any(claim.counters for claim in claims):
                return record
            found = await self._store.reserve(
                holder, claims, asked.windows, for_s=RESERVED_S, partly=last, shown=record.assume_impression
            )
            if not found.refused:
                return record
            if last:
                return without(record, frozenset(record.items[place] for place in found.refused))
            record = again(self._told(asked, found.counted, request))
        return record

    def _count(self, cap: str, result: str) -> None:
        bound = self._bound.get((cap, result))
        if bound is None:
            bound = self._bound[cap, result] = self._checks.child(cap, result)
            self._over.child(cap)
        bound.value += 1


def joined(known: Facts, more: Facts) -> Facts:
    """Return what is known of a person with the counts and the fatigue of ``more``."""
    return Facts(user=known.user, caps=more.caps, fatigue=more.fatigue, plugins=known.plugins, brought=known.brought)


def _planned(record: Decision, live: Live) -> PlannedPolicy | None:
    """Return the policy version whose caps held: the one that decided, else the surface's stable one."""
    place = live.plan.surfaces.get(record.surface)
    if place is None:
        return None
    rolling = place.rolling
    return rolling if rolling is not None and rolling.version == record.version else place.stable


def _windows(caps: Sequence[PlannedCap], live: Live, now: int) -> Windows:
    fatigue = live.snapshot.installation.fatigue
    tiring = {} if fatigue is None else wearing_windows(fatigue.half_life_s)
    return Windows({cap.number: window(cap.cap, cap.number, now) for cap in caps} | tiring)


def _counters(caps: Sequence[PlannedCap], ordinals: Sequence[int], campaign: str | None) -> list[tuple[Counter, ...]]:
    """Return, per item, the counters that showing it raises."""
    by_cap = [(cap.number, cap.values(ordinals, campaign)) for cap in caps]
    return [
        tuple(dict.fromkeys([(number, value) for number, values in by_cap if (value := values[place]) is not None]))
        for place in range(len(ordinals))
    ]


def _claims(record: Decision, asked: Asked, live: Live) -> list[Claim]:
    """Return one claim per slot, in the order of the slots."""
    caps = caps_for(live.plan, _planned(record, live), record.surface, record.campaign)
    candidates, ranking = memoryview(record.candidates).cast("I"), memoryview(record.ranking).cast("H")
    ordinals = [candidates[place] for place in ranking]
    raised = _counters(caps, ordinals, record.campaign)
    if asked.half_life_s is not None:
        raised = [
            (*mine, *counters_of(ordinal, record.campaign)) if mine else mine
            for ordinal, mine in zip(ordinals, raised, strict=True)
        ]
    return [Claim(mark_of(record.decision_id, item), mine) for item, mine in zip(record.items, raised, strict=True)]
