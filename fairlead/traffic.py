"""Simulated visitors: paced requests from logged contexts through the public API, all of it marked as simulated."""

import asyncio
import contextlib
import random
import signal
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from fairlead import logs
from fairlead.browsing import Wandering, device
from fairlead.client import own_token
from fairlead.processes import follow_parent
from fairlead.settings import Settings
from storage.errors import Unavailable
from storage.records import clock
from storage.records.events import Scalar
from storage.records.items import Item

if TYPE_CHECKING:
    from fairlead.clicks import Logged

log = structlog.get_logger(__name__)

SURFACE = "home"
SLOTS = 3
VISITORS = 400
ANONYMOUS = 0.05
"""The share of visits without an id."""
WANDERS = 0.3
"""The share of visits of someone known that look around before they look at what is recommended."""
REPORT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One simulated person, who keeps campaign and context from visit to visit."""

    subject: str | None
    campaign: str
    context: Mapping[str, Scalar]


class Visits:
    """Makes visits happen.

    Parameters
    ----------
    logged
        Contexts and the click model of the log.
    items
        The catalogue by item id.
    engines
        Base URLs; visits go to them in turn.
    token
        A token with the scopes ``decide``, ``events:write`` and ``simulate``.
    rng
        Where chance comes from.
    wanders
        The share of visits of someone known that look around first.
    """

    def __init__(
        self,
        logged: "Logged",
        *,
        items: Mapping[str, Item],
        engines: Sequence[str],
        token: str,
        rng: random.Random,
        wanders: float = WANDERS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._logged = logged
        self._items = items
        self._wandering, self._wanders = Wandering(items), wanders
        self._engines = engines
        self._rng = rng
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=5.0, trust_env=False, transport=transport
        )
        self._visitors = [self._visitor(f"visitor-{number:03d}") for number in range(VISITORS)]
        self.counts: Counter[str] = Counter()

    def _visitor(self, subject: str | None) -> Visitor:
        campaign, context = self._rng.choice(self._logged.contexts)
        return Visitor(subject=subject, campaign=campaign, context=context)

    def _next(self) -> Visitor:
        return self._visitor(None) if self._rng.random() < ANONYMOUS else self._rng.choice(self._visitors)

    async def visit(self) -> None:
        """Ask for a slate, report that it was seen, and what was clicked."""
        visitor = self._next()
        engine = self._engines[self.counts["visits"] % len(self._engines)]
        self.counts["visits"] += 1
        request: dict[str, Any] = {
            "surface": SURFACE,
            "campaign": visitor.campaign,
            "slots": SLOTS,
            "context": dict(visitor.context),
        }
        if visitor.subject is not None:
            request |= {"subject": visitor.subject, "session": _session(visitor.subject)}
        try:
            await self._wander(visitor, engine)
            answer = await self._http.post(f"{engine}/v1/personalize", json=request)
            answer.raise_for_status()
            events = self.events(visitor, answer.json())
            if events:
                (await self._http.post(f"{engine}/v1/events", json={"events": events})).raise_for_status()
            self.counts["answered"] += 1
        except httpx.HTTPStatusError as error:
            self._failed(f"status {error.response.status_code}", error.response.text[:300])
        except httpx.HTTPError as error:
            self._failed(type(error).__name__, engine)

    async def _wander(self, visitor: Visitor, engine: str) -> None:
        """Let a known visitor look around first, now and then."""
        if visitor.subject is None or self._rng.random() >= self._wanders:
            return
        deeds = self._wandering.deeds(visitor.subject, visitor.campaign, self._rng)
        events = [
            self._event(visitor, deed.type, deed.item) | ({} if deed.value is None else {"value": deed.value})
            for deed in deeds
        ]
        if events:
            (await self._http.post(f"{engine}/v1/events", json={"events": events})).raise_for_status()
            self.counts["deeds"] += len(events)

    def _failed(self, kind: str, detail: str) -> None:
        if not self.counts[kind]:
            log.warning("a visit failed", kind=kind, detail=detail)
        self.counts[kind] += 1

    def events(self, visitor: Visitor, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what the visitor does with a slate: sees every item, clicks by the model."""
        from fairlead.clicks import Shown

        slate = [(entry["item"], entry["rank"]) for entry in answer["items"]]
        shown = [
            Shown(campaign=visitor.campaign, position=rank, context=visitor.context, item=self._items.get(item))
            for item, rank in slate
        ]
        types = [("impression", item) for item, _ in slate]
        for (item, _), chance in zip(slate, self._logged.model.probabilities(shown), strict=True):
            if self._rng.random() < chance:
                types.append(("click", item))
                self.counts["clicks"] += 1
        return [self._event(visitor, kind, item) | {"decision_id": answer["decision_id"]} for kind, item in types]

    def _event(self, visitor: Visitor, kind: str, item: str) -> dict[str, Any]:
        known: dict[str, Any] = {}
        if visitor.subject is not None:
            held = {"device": device(visitor.subject)}
            known = {"subject": visitor.subject, "session": _session(visitor.subject), "properties": held}
        return {
            "event_id": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "type": kind,
            "item": item,
            "surface": SURFACE,
            "campaign": visitor.campaign,
            **known,
        }

    async def drive(self, rate: float, stop: asyncio.Event) -> None:
        """Make visits at random moments, ``rate`` a second on average, until told to stop."""
        loop = asyncio.get_running_loop()
        due = report = loop.time()
        running: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            due = max(due + self._rng.expovariate(rate), loop.time() - 1.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, due - loop.time()))
            if stop.is_set():
                break
            if len(running) < 64:
                task = asyncio.create_task(self.visit())
                running.add(task)
                task.add_done_callback(running.discard)
            if loop.time() - report > REPORT_S:
                report = loop.time()
                log.info("visits so far", **self.counts)
        if running:
            await asyncio.wait(running, timeout=1.0)
        await self._http.aclose()


def _session(subject: str) -> str:
    return f"{subject}-{clock.now() // clock.HOUR}"


async def _drive(visits: Visits, rate: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await visits.drive(rate, stop)


def run(settings: Settings, *, lifeline: int | None = None) -> int:
    """Drive visits until told to stop."""
    from fairlead.clicks import read_log
    from fairlead.story.begin import people_of
    from fairlead.wiring import open_existing
    from storage import catalogue

    logs.configure("traffic")
    follow_parent(lifeline)
    store = open_existing(settings)
    with store.database.read() as read:
        items = {item.item_id: item for item in catalogue.load(read).items}
    if not items:
        raise Unavailable("the catalogue is empty; run `fairlead import open-bandit` first")
    logged = people_of(store, items) or read_log(store.database, store.lake, items=items, now=clock.now())
    store.database.close()
    log.info("what visitors like is known", impressions=logged.impressions, clicks=logged.clicks)
    engines = [settings.engine_url(replica) for replica in range(settings.replicas)]
    visits = Visits(logged, items=items, engines=engines, token=own_token(settings, "traffic"), rng=random.Random())
    asyncio.run(_drive(visits, settings.traffic_rate))
    log.info("stopped", **visits.counts)
    return 0
