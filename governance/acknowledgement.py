"""How far a change has come: every registered replica says which consent epoch, and which tokens, it goes by."""

import time
from collections.abc import Callable, Sequence
from threading import Condition

from governance.outcomes import Acknowledged
from storage import receipts
from storage.database import Database
from storage.records.changes import Receipt
from storage.records.clock import HOUR, SECOND

REGISTERED_WITHIN = 10 * SECOND
"""A replica that reported nothing new for so long is gone. Its own lease ends earlier (``EngineConfig.report_s``)."""
FORGOTTEN_AFTER = HOUR
"""A receipt so old by the wall clock is never waited for; no clock is that wrong."""
LIMIT_S = 2.5
"""After this long no replica decides on older consent: those that could not read it have lost their lease."""
LOOK_EVERY_S = 0.02

Reported = Callable[[Receipt], int]


def consent_epoch(receipt: Receipt) -> int:
    """Return the consent epoch that a replica decides with."""
    return receipt.consent_epoch


def tokens_as_of(receipt: Receipt) -> int:
    """Return the entry of the ledger up to which a replica knows every token; 0 where it did not say."""
    return int(receipt.details.get("tokens_as_of", 0))


class Acknowledgements:
    """Waits for replicas; however many wait, one of them reads the receipts for all.

    Whether a replica is still there is told by its receipts changing under this process's own clock, so that one whose
    wall clock is wrong is waited for like any other.

    Parameters
    ----------
    database
        Where replicas report.
    now
        The clock, microseconds UTC.
    monotonic, sleep
        The clock that waiting goes by, in seconds, and how the one who reads waits between two looks.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._news = Condition()
        self._reading = False
        self._read_at = float("-inf")
        self._known: list[Receipt] = []
        self._changed: dict[str, tuple[tuple[str, int], float]] = {}
        """Of each replica its latest report (boot and time) and when that was first seen here."""

    def wait(self, number: int, *, limit_s: float = LIMIT_S, of: Reported = consent_epoch) -> Acknowledged:
        """Return when every registered replica reported ``number`` (its consent epoch, or what ``of`` reads), or when
        ``limit_s`` are over since this call, which is made right after the commit."""
        started = self._monotonic()
        while True:
            with self._news:
                waited = self._monotonic() - started
                known = self._known
                fresh = self._read_at >= started
                if fresh and (waited >= limit_s or all(of(receipt) >= number for receipt in known)):
                    return _told(number, known, waited, of)
                if self._reading:
                    self._news.wait(max(0.0, limit_s - waited) or LOOK_EVERY_S)
                    continue
                self._reading = True
            self._look()

    def _look(self) -> None:
        """Read the receipts, not more often than needed, and wake the others."""
        known, began = self._known, self._read_at
        try:
            if self._monotonic() - began < LOOK_EVERY_S:
                self._sleep(LOOK_EVERY_S)
            looked = self._monotonic()
            with self._database.read() as read:
                found = receipts.registered(read, self._now(), FORGOTTEN_AFTER)
            known, began = self._alive(found, looked), looked
        finally:
            with self._news:
                self._reading, self._known, self._read_at = False, known, began
                self._news.notify_all()

    def _alive(self, found: Sequence[Receipt], looked: float) -> list[Receipt]:
        """Return the receipts of replicas that are there as far as anyone can tell; one reader at a time is here."""
        before = self._changed
        self._changed = {}
        for receipt in found:
            report = (receipt.boot_id, receipt.at)
            last, since = before.get(receipt.replica, (report, looked))
            self._changed[receipt.replica] = (report, since if last == report else looked)
        return [each for each in found if (looked - self._changed[each.replica][1]) * SECOND < REGISTERED_WITHIN]


def _told(number: int, known: Sequence[Receipt], waited_s: float, of: Reported) -> Acknowledged:
    behind = tuple(receipt.replica for receipt in known if of(receipt) < number)
    return Acknowledged(
        epoch=number,
        acknowledged_by=tuple(receipt.replica for receipt in known if of(receipt) >= number),
        waiting_for=behind,
        waited_ms=round(waited_s * 1000),
        complete=not behind,
    )
