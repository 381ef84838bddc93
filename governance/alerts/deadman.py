"""The dead man's switch: who notices that nobody watches any more.

Checks and alerts run in the schedule of the instance that leads. If that stops, or collects nothing, no check can say
so. A watch in a thread of every control instance, outside the schedule and without its lease, sees how old the newest
window and the last round are, and alerts by itself. And while all is well it calls an address outside, once a minute:
if control or the machine is gone, that call stays away, and whoever waits for it raises the alarm.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import httpx
import structlog

from governance.alerts.courier import Courier
from governance.alerts.destinations import Destination
from governance.alerts.kinds import KINDS
from governance.alerts.readings import Reading
from governance.alerts.rounds import judge
from storage import heartbeats, indicators
from storage.database import Database, Read
from storage.errors import FairleadError
from storage.records import clock
from storage.records.clock import MINUTE, SECOND

log = structlog.get_logger(__name__)

FINGERPRINT = "watch:deadman"
WATCHED = ("poll-metrics", "checks.patrol", "alerts")
"""The tasks of the schedule without which nobody watches."""
STALE = 3 * MINUTE
BEAT = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How old what must be young is, in microseconds: None where nothing was ever seen."""

    window: int | None
    rounds: tuple[tuple[str, int | None], ...]

    def faults(self, stale: int) -> list[str]:
        """Return what is too old, in words; what never began is no fault of this watch."""
        found = []
        if self.window is not None and self.window > stale:
            found.append(f"no metric window for {self.window // SECOND} s")
        late = [f"{name} for {age // SECOND} s" for name, age in self.rounds if age is not None and age > stale]
        return found + ([f"no run of {', '.join(late)}"] if late else [])

    @property
    def begun(self) -> bool:
        """Whether anything was ever seen."""
        return self.window is not None and any(age is not None for _, age in self.rounds)


def pulse(read: Read, now: int) -> Pulse:
    """Return how old the newest window is, and the last good run of each watched task."""
    newest = indicators.last_window(read)
    ok = {each.name: each.last_ok for each in heartbeats.heartbeats(read)}
    ages = tuple((name, None if (at := ok.get(name)) is None else now - at) for name in WATCHED)
    return Pulse(window=None if newest is None else now - newest, rounds=ages)


def reading(found: Pulse, *, stale: int, now: int) -> Reading:
    """Return the dead man's reading; before anything was ever seen it is unknown."""
    kind, faults = KINDS["deadman"], found.faults(stale)
    known = "Windows are collected, checks and alerts go their rounds."
    said = f"Nobody watches: {'; '.join(faults)}. No other alert can fire." if faults else known
    return Reading(
        fingerprint=FINGERPRINT,
        name="deadman",
        state="bad" if faults else "good" if found.begun else "unknown",
        title=kind.title,
        cause=kind.cause,
        audience=kind.audience,
        severity="page",
        sentence=said,
        since=now,
        figures={"window_us": found.window, "rounds_us": dict(found.rounds)},
    )


class Watch:
    """Runs in a thread of every control instance, whoever leads: sends what waits, and is the dead man's switch.

    Parameters
    ----------
    database, destinations, courier
        Where it looks, and who is told.
    heartbeat
        An address outside that is called while all is well; empty for none. A secret.
    stale_us
        How old is too old.
    every_s
        How often it looks.
    """

    def __init__(
        self,
        database: Database,
        destinations: Sequence[Destination],
        courier: Courier,
        *,
        heartbeat: str = "",
        stale_us: int = STALE,
        every_s: float = 2.0,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._destinations = destinations
        self._courier = courier
        self._heartbeat = heartbeat
        self._stale = stale_us
        self._every_s = every_s
        self._now = now
        self._looked = self._beaten = 0
        self._began = now()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._began = self._now()
        self._thread.start()

    def stop(self) -> None:
        """End; what is being sent goes on for at most a few seconds."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._courier.stop()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                self.look()
            except FairleadError as error:
                log.warning("the watch could not look", reason=str(error))
            except Exception:
                log.exception("the watch failed")

    def look(self) -> list[Future[None]]:
        """Look once: at the pulse four times within what is too old, at the outbox always; return what is being sent
        since."""
        now = self._now()
        try:
            if now - self._looked >= self._stale // 4:
                self._looked = now
                self._feel(now)
        finally:
            begun = self._courier.look()
        return begun

    def _feel(self, now: int) -> None:
        with self._database.read() as read:
            found = pulse(read, now)
        settled = now - self._began >= self._stale
        told = reading(found, stale=self._stale, now=now)
        if settled or told.state == "good":  # a start after a pause finds everything old
            with self._database.write() as write:
                judge(write, (told,), self._destinations, now=now, mine=lambda key: key == FINGERPRINT)
        if told.state == "good" and self._heartbeat and now - self._beaten >= min(BEAT, self._stale):
            self._beaten = now
            self._beat()

    def _beat(self) -> None:
        try:
            httpx.get(self._heartbeat, timeout=5.0, follow_redirects=False).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # its words hold the address, which is a secret
            log.warning("the heartbeat did not arrive", kind=type(error).__name__)
