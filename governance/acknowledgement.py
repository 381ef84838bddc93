"""How far a consent change has come: every registered replica says which epoch it decides with."""

import time
from collections.abc import Callable
from threading import Lock

from governance.outcomes import Acknowledged
from storage import receipts
from storage.database import Database
from storage.records.changes import Receipt
from storage.records.clock import SECOND

REGISTERED_WITHIN = 10 * SECOND
LIMIT_S = 2.5
"""After this long no replica decides on older consent: those that could not read it have lost their lease."""
LOOK_EVERY_S = 0.01


class Acknowledgements:
    """Waits for replicas; however many wait, the receipts are read once every ten milliseconds.

    Parameters
    ----------
    database
        Where replicas report.
    now
        The clock, microseconds UTC.
    monotonic, sleep
        The clock that waiting goes by, in seconds, and how to wait.
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
        self._lock = Lock()
        self._read_at = float("-inf")
        self._known: list[Receipt] = []

    def _receipts(self) -> list[Receipt]:
        with self._lock:
            if self._monotonic() - self._read_at >= LOOK_EVERY_S:
                with self._database.read() as read:
                    self._known = receipts.registered(read, self._now(), REGISTERED_WITHIN)
                self._read_at = self._monotonic()
            return self._known

    def wait(self, epoch: int, *, limit_s: float = LIMIT_S) -> Acknowledged:
        """Return when every registered replica reported ``epoch``, or when ``limit_s`` are over since this call, which
        is made right after the commit."""
        started = self._monotonic()
        while True:
            known = self._receipts()
            behind = tuple(receipt.replica for receipt in known if receipt.consent_epoch < epoch)
            waited = self._monotonic() - started
            if not behind or waited >= limit_s:
                return Acknowledged(
                    epoch=epoch,
                    acknowledged_by=tuple(receipt.replica for receipt in known if receipt.consent_epoch >= epoch),
                    waiting_for=behind,
                    waited_ms=round(waited * 1000),
                    complete=not behind,
                )
            self._sleep(min(LOOK_EVERY_S, max(0.0, limit_s - waited)))
