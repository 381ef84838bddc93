"""What a replica does by the clock: windows, item epochs, the loop's lag, a short log."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from scoring_core.edges import memory
from storage import erasure, profiles
from storage.errors import FairleadError, Unavailable
from storage.eventlog.protocol import Draft
from storage.records import wire
from storage.records.clock import DAY

if TYPE_CHECKING:
    from scoring_core.edges.replica import Replica

EPOCH_EVERY_S = 1.0
LAG_EVERY_S = 0.5
TRIM_EVERY_S = 3_600.0
KEEP_LOG_US = 7 * DAY

_log = logging.getLogger("fairlead.engine")

COLLECT_AFTER = (20_000, 20, 50)
"""How rarely garbage is looked for: a decision makes hundreds of objects and no cycle."""


class Rhythm:
    """The tasks of one replica. Making it continues the item features where the log's last epoch left them."""

    def __init__(self, replica: "Replica") -> None:
        self._replica = replica
        self._head = replica.log.head()
        self._last_epoch_at = memory.continue_epochs(replica.log, replica.popularity)
        self._tasks: list[asyncio.Task[None]] = []
        if replica.popularity.epoch:
            self._publish_epoch()

    def start(self) -> None:
        """Begin to keep time."""
        steps: tuple[tuple[Callable[[], Awaitable[None]], float], ...] = (
            (self._close_window, self._replica.config.window_s),
            (self._keep_epochs, EPOCH_EVERY_S),
            (self._trim, TRIM_EVERY_S),
        )
        self._tasks = [asyncio.create_task(self._ever(step, every_s)) for step, every_s in steps]
        self._tasks += [asyncio.create_task(self._feel_lag()), asyncio.create_task(self._remember())]

    async def stop(self) -> None:
        """Keep time no longer; publish what was gathered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._replica.popularity.waiting():
            self._publish_epoch()

    async def _ever(self, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Do a step again and again; one that fails is written down and does not end the rest."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await step()
            except FairleadError as error:
                _log.warning("%s: %s", step.__name__, error)
            except Exception:
                _log.exception("%s failed", step.__name__)

    async def _close_window(self) -> None:
        self._replica.windows.close(self._replica.now(), self._replica.uptime_us())

    async def _keep_epochs(self) -> None:
        if self._replica.popularity.waiting():
            self._publish_epoch()

    def _publish_epoch(self) -> None:
        replica = self._replica
        epoch, features = replica.popularity.publish(replica.now())
        draft = Draft(kind="epoch", at=epoch.at, payload=wire.encode(epoch), key=memory.epoch_key(epoch.epoch))
        try:
            replica.log.offer(draft)
        except Unavailable:
            replica.telemetry.item_epochs.child("lost").add()
            replica.popularity.keyframe_next()
            return
        replica.telemetry.item_epochs.child("published").add()
        replica.follower.use_items(features)

    async def _trim(self) -> None:
        replica = self._replica
        await asyncio.to_thread(lambda: replica.log.trim(before=replica.now() - KEEP_LOG_US))

    async def _remember(self) -> None:
        """Take up again what the log holds and memory lost; then leave what stays to no garbage collector."""
        replica = self._replica
        while replica.follower.live is None:
            await asyncio.sleep(replica.config.poll_s)
        live = replica.follower.live
        await self._erase()
        try:
            memory.note_again(replica.log, replica.popularity, live, after=self._last_epoch_at, until=self._head)
            if not replica.config.redis_url:
                await memory.relearn(replica.log, live, replica.hot, replica.people, until=self._head)
                for counts in memory.impressions(replica.log, live, replica.rationing, until=self._head):
                    await replica.rationing.count(counts, live)
                    await asyncio.sleep(0)
        except FairleadError as error:
            _log.warning("what the log remembers could not be read: %s", error)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        await self._ever(self._follow_people, replica.config.poll_s)

    async def _follow_people(self) -> None:
        """Erase whom control says; take over what people stated elsewhere into a store that is this replica's own."""
        replica = self._replica
        if replica.follower.numbers.get(erasure.COUNTER, 0) > replica.erasing.number:
            await self._erase()
        if not replica.config.redis_url and replica.follower.numbers.get(profiles.COUNTER, 0) > replica.people.number:
            await replica.people.follow()

    async def _erase(self) -> None:
        """Do what control ordered about people; what fails is tried again."""
        try:
            await self._replica.erasing.follow(self._replica.follower.numbers.get(erasure.COUNTER, 0))
        except FairleadError as error:
            _log.warning("people could not be erased yet: %s", error)

    async def _feel_lag(self) -> None:
        loop, spread = asyncio.get_running_loop(), self._replica.telemetry.loop_lag.child()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            spread.observe(max(loop.time() - due, 0.0))
