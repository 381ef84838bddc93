"""Follows the control database: consent first and fastest, then revisions, then the parts that they name."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from scoring_core.candidates.lists import Lists
from scoring_core.compile import compile_live
from scoring_core.edges.auth import Door
from scoring_core.edges.config import EngineConfig
from scoring_core.edges.consent import ConsentState
from scoring_core.edges.news import News, news
from scoring_core.edges.parts import Parts
from scoring_core.edges.presence import Presence
from scoring_core.edges.telemetry import Telemetry
from scoring_core.epochs import sized_for
from scoring_core.live import ItemFeatures, Live, Model
from storage import revisions
from storage.database import Database
from storage.errors import FairleadError
from storage.records.clock import SECOND
from storage.records.consent import ConsentChange
from storage.records.events import ITEM_STATS
from storage.records.policies import Snapshot

T = TypeVar("T")

TOKENS_EVERY_US = SECOND
RETRY_S = 5.0

_log = logging.getLogger("fairlead.engine")


class Follower:
    """Keeps ``live`` current. All state changes happen on the event loop; all waiting happens on threads.

    A look that began at monotonic t₀ and found nothing newer than what is held renews the lease to t₀ + ``lease_s``,
    never beyond the time for which control knows of this replica and waits for it (``registered_until``).
    Consent never waits for revisions, nor revisions for models: a revision is swapped in with the models at hand, again
    when those that it names are loaded; only then does the receipt carry it.
    """

    def __init__(
        self,
        config: EngineConfig,
        database: Database,
        telemetry: Telemetry,
        *,
        presence: Presence,
        door: Door,
        now: Callable[[], int],
        monotonic_us: Callable[[], int],
        models: Callable[[Mapping[str, Model]], Mapping[str, Model]] = dict,
    ) -> None:
        self._config = config
        self._models = models
        self._database = database
        self._telemetry = telemetry
        self._presence = presence
        self._door = door
        self._now = now
        self._monotonic_us = monotonic_us
        self.consent = ConsentState()
        self.parts = Parts(config.home, database, telemetry, now=now)
        self.items = ItemFeatures(epoch=0, values=np.zeros((0, len(ITEM_STATS))))
        self.live: Live | None = None
        self.equipped = False
        self.lists = Lists(
            hits=telemetry.cache.child("candidate", "hit"),
            misses=telemetry.cache.child("candidate", "miss"),
            gone=telemetry.evictions.child("candidate", "size"),
        )
        """Lists of candidates that depend on nobody, remembered across views."""
        self.snapshot: Snapshot | None = None
        self.revision = 0
        """The newest revision that is in force here with everything that it names."""
        self.current_at = -(10**15)
        """When a look last began that showed no revision newer than the one held, by the monotonic clock."""
        self.registered_until: int | None = None
        """Until when control surely waits for this replica (monotonic); None before the first receipt."""
        self.tokens_as_of = 0
        """The entry of the ledger up to which every token is known here."""
        self.lost = True
        self.moved = asyncio.Event()
        """Set whenever the receipt would say something new."""
        self.numbers: Mapping[str, int] = {}
        """Where every numbered sequence of the database stood when last looked at."""
        self._tokens_at = -TOKENS_EVERY_US
        self._stale_snapshot = asyncio.Event()
        self._stale_parts = asyncio.Event()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="consent")
        self._loader = ThreadPoolExecutor(2, thread_name_prefix="loader")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow."""
        for work in (self._watch, self._follow_revisions, self._follow_parts):
            self._tasks.append(asyncio.create_task(self._ever(work), name=work.__name__))

    async def stop(self) -> None:
        """Follow no longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._loader.shutdown(wait=False, cancel_futures=True)

    def ready(self) -> bool:
        """Tell whether this replica should get traffic: it has read all consent, and the models of its revision."""
        return self.consent.whole and self.live is not None and self.equipped and not self.policy_stale()

    def registered(self, since: int) -> None:
        """Note that a receipt was written which began at ``since`` by the monotonic clock."""
        self.registered_until = since + int(self._config.report_s * SECOND)

    def policy_stale(self) -> bool:
        """Tell whether revisions could not be refreshed for too long."""
        return self._monotonic_us() - self.current_at > self._config.policy_stale_s * SECOND

    def use_items(self, items: ItemFeatures) -> None:
        """Swap in a new epoch of item features."""
        self.items = items
        self.live = self.live and replace(self.live, items=sized_for(self.live.shelf, items))

    async def _ever(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` again and again: following must not end because one round failed."""
        while True:
            try:
                await work()
            except FairleadError as error:
                _log.warning("following the database: %s", error)
                await asyncio.sleep(self._config.poll_s)
            except Exception:
                _log.exception("following the database failed; trying again")
                await asyncio.sleep(self._config.poll_s)

    async def _watch(self) -> None:
        started = self._monotonic_us()
        tokens_due = started - self._tokens_at >= TOKENS_EVERY_US
        try:
            seen = await _on(self._reader, self._look, self.consent.epoch, tokens_due)
        except FairleadError as error:
            _log.log(logging.DEBUG if self.lost else logging.WARNING, "lost the control database: %s", error)
            self.lost = True
            self._telemetry.dependencies.child("db", "error").add()
            await asyncio.sleep(self._config.poll_s)
            return
        self.lost = False
        self._telemetry.dependencies.child("db", "ok").add()
        self._telemetry.dependency_seconds.child("db").observe((self._monotonic_us() - started) / SECOND)
        if seen.principals is not None:
            self._door.principals = seen.principals
            self._tokens_at = started
            self._know_tokens(seen.numbers.get("ledger", 0))
        self._take(seen, started)
        if self.consent.epoch == seen.numbers.get("consent_epoch", 0):
            await asyncio.sleep(self._config.poll_s)

    def _look(self, epoch: int, tokens_due: bool) -> News:
        self._presence.require()
        return news(self._database, known=self.numbers, epoch=epoch, tokens_due=tokens_due, now=self._now())

    def _know_tokens(self, entry: int) -> None:
        if entry != self.tokens_as_of:
            self.tokens_as_of = entry
            self.moved.set()

    def _take(self, seen: News, started: int) -> None:
        epoch = seen.numbers.get("consent_epoch", 0)
        if epoch < self.consent.epoch:
            _log.warning("the consent record went back; loading it anew")
            self.consent.forget()
            return
        if seen.reached > self.consent.epoch:
            self._apply(seen.changes, seen.reached)
        if self.consent.epoch == epoch and self.registered_until is not None:
            self.consent.renew(min(started + int(self._config.lease_s * SECOND), self.registered_until))
        if self.snapshot is not None and self.snapshot.revision >= seen.numbers.get("revision", 0):
            self.current_at = started
        if seen.numbers.get("revision") != self.numbers.get("revision"):
            self._stale_snapshot.set()
        if seen.numbers.get("catalogue") != self.numbers.get("catalogue"):
            self._stale_parts.set()
        self.numbers = seen.numbers

    def _apply(self, changes: list[ConsentChange], reached: int) -> None:
        self.consent.apply(changes)
        self.consent.reach(reached)
        if self.live is not None and self._config.timed:
            now, spread = self._now(), self._telemetry.consent_propagation.child()
            for at in {change.at for change in changes}:  # those of one transaction count once
                spread.observe(max(now - at, 0) / SECOND)
        self.moved.set()

    async def _follow_revisions(self) -> None:
        await self._stale_snapshot.wait()
        self._stale_snapshot.clear()
        try:
            await self._refresh()
        except Exception:
            self._retry(self._stale_snapshot)
            raise

    async def _refresh(self) -> None:
        if (wanted := self.numbers.get("revision", 0)) == 0:
            return
        if self.snapshot is None or self.snapshot.revision != wanted:
            loaded = await _on(self._loader, self._load_snapshot)
            if loaded is None:
                return
            self.snapshot = loaded
        if not self.parts.complete_for(self.snapshot, self.numbers.get("catalogue", 0)):
            self._stale_parts.set()
        await self._swap(self.snapshot)

    def _load_snapshot(self) -> Snapshot | None:
        with self._database.read() as read:
            return revisions.load(read)

    async def _swap(self, snapshot: Snapshot) -> None:
        """Compile on a thread, then put the new view in force, consent defaults with it."""
        equipped = self.equipped or self.parts.equipped_for(snapshot)
        held, shelf, before, items = self.parts.held, self.parts.held.shelf, self.live, self.items
        if shelf is None:
            return
        models = self._models(held.models)  # with those that do not come from the registry
        made = await _on(
            self._loader,
            lambda: compile_live(
                snapshot,
                self.consent,
                models=models,
                shelf=shelf,
                items=items,
                retrievers=held.retrievers,
                previous=before,
            ),
        )
        self.live, self.equipped = replace(made, items=sized_for(shelf, self.items), lists=self.lists), equipped
        self.consent.set_defaults(snapshot.installation)
        self._telemetry.know_campaigns(_by_importance(snapshot))
        self._telemetry.know_event_types(snapshot.installation.events)
        if self._config.timed and before is not None and before.snapshot.revision != snapshot.revision:
            self._telemetry.policy_propagation.child().observe(max(self._now() - snapshot.at, 0) / SECOND)
        if self.parts.complete_for(snapshot, self.numbers.get("catalogue", 0)):
            self.revision = snapshot.revision
        self.moved.set()

    async def _follow_parts(self) -> None:
        await self._stale_parts.wait()
        self._stale_parts.clear()
        try:
            changed = await _on(self._loader, self.parts.load, self.snapshot, self.numbers.get("catalogue", 0))
        except Exception:
            self._retry(self._stale_parts)
            raise
        if self.parts.failed:
            self._retry(self._stale_parts)
        if changed:
            self._stale_snapshot.set()

    def _retry(self, event: asyncio.Event) -> None:
        asyncio.get_running_loop().call_later(RETRY_S if self.live is not None else self._config.poll_s, event.set)


async def _on(executor: Executor, work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, work, *arguments)


def _by_importance(snapshot: Snapshot) -> list[str]:
    """Running campaigns first: they get labels of their own."""
    campaigns = snapshot.campaigns.values()
    return [campaign.key for campaign in sorted(campaigns, key=lambda each: (each.status != "running", each.key))]
