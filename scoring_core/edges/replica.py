"""Everything that one replica holds, and its life: start, follow, stop without losing anything."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from uuid_utils import uuid7

from scoring_core.edges.auth import Door
from scoring_core.edges.caps import Rationing
from scoring_core.edges.config import EngineConfig
from scoring_core.edges.dependencies import Dependencies
from scoring_core.edges.erasure import Erasing
from scoring_core.edges.gauges import declare_gauges
from scoring_core.edges.history import History
from scoring_core.edges.identities import Identities
from scoring_core.edges.intake import Intake
from scoring_core.edges.live import Follower
from scoring_core.edges.looks import Looks
from scoring_core.edges.objections import Objections
from scoring_core.edges.people import People
from scoring_core.edges.plugins import Attachments
from scoring_core.edges.popularity import Popularity
from scoring_core.edges.presence import Presence
from scoring_core.edges.receipts import Reporter
from scoring_core.edges.rhythm import Rhythm
from scoring_core.edges.sequences import Sequences
from scoring_core.edges.tally import Tally
from scoring_core.edges.telemetry import Telemetry
from scoring_core.edges.windows import Windows
from scoring_core.plugins import installed
from storage.database import Database
from storage.errors import FairleadError
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.protocol import EventLog
from storage.hot.caps_memory import MemoryCaps
from storage.hot.caps_redis import RedisCaps
from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore
from storage.hot.redis import RedisStore
from storage.keys import Keys
from storage.passports import Passports
from storage.pseudonyms import Salts, lookup
from storage.records import clock
from storage.records.clock import SECOND

DATABASE_TIMEOUT_S = 2.0
LONG_BACKLOG = 5_000
"""More records than this wait for a disk that does not take them."""
_log = logging.getLogger("fairlead.engine")
Clock = Callable[[], int]


class Replica:
    """One engine. Made outside the event loop; ``start`` and ``stop`` run inside.

    Parameters
    ----------
    config
        What it was told.
    now, uptime_us
        The wall clock, microseconds UTC; what windows are measured by (None: the monotonic clock).

    Raises
    ------
    FairleadError
        If keys or log cannot be opened; the message says what to do.
    """

    def __init__(self, config: EngineConfig, *, now: Clock = clock.now, uptime_us: Clock | None = None) -> None:
        self.config = config
        self.now = now
        self.uptime_us = uptime_us or self.monotonic_us
        self.clock_ns = time.perf_counter_ns
        self.boot_id = uuid7().hex
        self.started_at = now()
        self.stopping = False
        self.in_flight = 0
        self.keys = Keys.open(config.home)
        self.database = Database(config.control_url, timeout_s=DATABASE_TIMEOUT_S)
        self.telemetry = Telemetry(replica=config.replica, boot_id=self.boot_id, wall=now, started_at=self.started_at)
        self.windows = Windows(
            self.telemetry.families,
            replica=config.replica,
            boot_id=self.boot_id,
            now=self.started_at,
            monotonic_us=self.uptime_us(),
            keep_us=int(config.keep_s * SECOND),
        )
        self.windows.load(self._windows_path, self.started_at)
        self.passports = Passports(config.issuer, now=now) if config.issuer else None
        self.door = Door(self.passports)
        self.looks = Looks(self.database, self.keys, now=now)
        self.tally = Tally(self.telemetry)
        self.dependencies = Dependencies(
            self.telemetry,
            remote=bool(config.redis_url),
            monotonic_us=self.monotonic_us,
            clock_ns=self.clock_ns,
        )
        self.sequences = Sequences()
        self.popularity = Popularity(0, now=self.started_at)
        self.log: EventLog = EmbeddedLog(config.home / "logs" / f"{config.replica}.db", log_id=self.boot_id)
        self.hot: HotStore = RedisStore(config.redis_url) if config.redis_url else MemoryStore()
        self.rationing = Rationing(
            RedisCaps(config.redis_url) if config.redis_url else MemoryCaps(now),
            telemetry=self.telemetry,
            now=now,
            on_failure=self.dependencies.hot_failed,
        )
        self._gpc = {honoured: self.telemetry.gpc.child(str(honoured).lower()) for honoured in (True, False)}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="receipts")
        self._salting = ThreadPoolExecutor(1, thread_name_prefix="salts")
        self._salts = Salts(self.database, self.keys.lookup, now=now)
        self._presence = Presence(self.database)
        self.plugins = Attachments(installed(), self.telemetry, limit_s=config.plugin_s)
        self.follower = Follower(
            config,
            self.database,
            self.telemetry,
            presence=self._presence,
            door=self.door,
            now=now,
            monotonic_us=self.monotonic_us,
            models=self.plugins.models,
        )
        self.identities = Identities(
            self._resolve, self._salting, self.telemetry, clock_s=time.monotonic, wait_s=config.identify_s
        )
        self.intake = Intake(
            log=self.log,
            hot=self.hot,
            identities=self.identities,
            popularity=self.popularity,
            rationing=self.rationing,
            telemetry=self.telemetry,
            session_key=self.session_key,
            now=now,
            monotonic_us=self.monotonic_us,
            on_hot_failure=self.dependencies.hot_failed,
        )
        self.people = People(
            database=self.database,
            hot=self.hot,
            executor=self._salting,
            now=now,
            on_hot_failure=self.dependencies.hot_failed,
        )
        self.objections = Objections(
            database=self.database,
            keys=self.keys,
            resolve=self._resolve,
            executor=self._salting,
            state=self.follower.consent,
            telemetry=self.telemetry,
            actor=f"engine:{config.replica}",
            now=now,
        )
        self.erasing = Erasing(
            database=self.database,
            keys=self.keys,
            log=self.log,
            hot=self.hot,
            rationing=self.rationing,
            identities=self.identities,
            consent=self.follower.consent,
            now=now,
            on_done=self.follower.moved.set,
        )
        self.reporter = Reporter(
            config,
            self.database,
            self.follower,
            self.telemetry,
            presence=self._presence,
            executor=self._writer,
            boot_id=self.boot_id,
            started_at=self.started_at,
            details=self.details,
            used=self.door.take_used,
            now=now,
            monotonic_us=self.monotonic_us,
        )
        self.history = History(self)
        self._rhythm = Rhythm(self)
        declare_gauges(self)

    @property
    def _windows_path(self) -> Any:
        return self.config.home / "windows" / f"{self.config.replica}.msgpack"

    @staticmethod
    def monotonic_us() -> int:
        """Return the monotonic clock in microseconds."""
        return time.monotonic_ns() // 1_000

    def new_id(self) -> str:
        """Return a UUIDv7 (RFC 9562) of now: readers of the lake find a decision by the time in its id."""
        return str(uuid7(nanoseconds=self.now() * 1_000))

    def session_key(self, raw: str) -> str:
        """Return a keyed name for a raw session id: 32 hex digits."""
        return lookup(raw, self.keys.lookup)[:32]

    def details(self) -> Mapping[str, Any]:
        """What an operator sees of this replica beside its receipt."""
        follower = self.follower
        return {
            "models": {name: model.version for name, model in follower.parts.held.versions.items()},
            "models_failed": dict(follower.parts.failed),
            "hot": "redis" if self.config.redis_url else "memory",
            "log": self.log.log_id,
            "tokens_as_of": follower.tokens_as_of,
            "erased_to": self.erasing.number,
            "plugins": self.plugins.shown(),
            "degraded": sorted(reason for reason, on in self.degraded().items() if on),
        }

    def degraded(self) -> dict[str, bool]:
        """What does not work as it should right now."""
        follower = self.follower
        return {
            "redis": self.dependencies.hot_troubled(),
            "db": follower.lost,
            "consent_stale": not follower.consent.lease_holds(self.monotonic_us()),
            "policy_stale": follower.policy_stale(),
            "audit": self.dependencies.log_troubled() or self.log.backlog() > LONG_BACKLOG,
            "overload": False,
        }

    def ready(self) -> bool:
        """Tell whether this replica should get traffic."""
        return not self.stopping and self.follower.ready()

    def _resolve(self, raws: Sequence[str]) -> Mapping[str, str]:
        """Return the pseudonyms of raw subjects; blocks."""
        self._presence.require()
        return self._salts.resolve(raws)

    def objected(self, people: Mapping[str, str | None], *, honoured: bool = True) -> None:
        """Note that a request carried Sec-GPC: whom it was about, by raw id with the pseudonym where that is known, and
        whether its answer left them alone."""
        kept = [self.objections.note(raw, subject) for raw, subject in people.items()]
        self._gpc[honoured and all(kept)].value += 1

    async def start(self) -> None:
        """Begin to follow the database and to keep time; returns before the replica is ready."""
        if self.passports is not None:
            self.passports.start()
        self.follower.start()
        self.reporter.start()
        self._rhythm.start()

    async def stop(self) -> None:
        """Write everything that waits: objections, the log, the last window; then let go."""
        self.stopping = True
        if self.passports is not None:
            self.passports.close()
        await self._rhythm.stop()
        await self.objections.close()
        try:
            await self.log.close()
        except FairleadError as error:
            _log.error("the event log could not be closed in order: %s", error)
        await self.hot.close()
        await self.rationing.close()
        self.windows.close(self.now(), self.uptime_us())
        try:
            self.windows.save(self._windows_path)
        except OSError as error:
            _log.error("the last windows could not be kept: %s", error)
        await self.reporter.stop()
        await self.follower.stop()
        self.plugins.close()
        for executor in (self._writer, self._salting):
            executor.shutdown(wait=False, cancel_futures=True)
        self.database.close()
