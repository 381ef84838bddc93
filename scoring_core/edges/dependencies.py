"""What a replica leans on, the hot store and the log: how they answered, and since when they do not."""

from collections.abc import Callable

from scoring_core.edges.telemetry import Telemetry
from storage.records.clock import SECOND

TROUBLE_US = 10 * SECOND
"""How long a failure is shown as degraded."""


class Dependencies:
    """Counts what the hot store and the log do for decisions and events.

    Parameters
    ----------
    remote
        Whether the hot store is a server of its own; one in memory is no dependency.
    """

    def __init__(
        self, telemetry: Telemetry, *, remote: bool, monotonic_us: Callable[[], int], clock_ns: Callable[[], int]
    ) -> None:
        self.records_taken = telemetry.records.child("taken")
        self._profile_hit = telemetry.cache.child("profile", "hit")
        self._profile_miss = telemetry.cache.child("profile", "miss")
        self._records_lost = telemetry.records.child("lost")
        self._hot_ok = telemetry.dependencies.child("redis", "ok")
        self._hot_seconds = telemetry.dependency_seconds.child("redis")
        self._hot_error = telemetry.dependencies.child("redis", "error")
        self._remote = remote
        self._monotonic_us = monotonic_us
        self._clock_ns = clock_ns
        self._log_failed_at = self._hot_failed_at = -(10**15)

    def profile_read(self, begun_ns: int, *, found: bool) -> None:
        """Note that the hot store answered what it knows of a person, asked at ``begun_ns``."""
        if self._remote:
            self._hot_ok.value += 1
            self._hot_seconds.observe((self._clock_ns() - begun_ns) * 1e-9)
        (self._profile_hit if found else self._profile_miss).value += 1

    def hot_failed(self) -> None:
        """Note that the hot store did not answer."""
        self._hot_error.add()
        self._hot_failed_at = self._monotonic_us()

    def record_lost(self) -> None:
        """Note that the log could not take a decision's record."""
        self._records_lost.value += 1
        self.log_failed()

    def log_failed(self) -> None:
        """Note that the log could not be written."""
        self._log_failed_at = self._monotonic_us()

    def hot_troubled(self) -> bool:
        """Tell whether the hot store failed just now."""
        return self._monotonic_us() - self._hot_failed_at < TROUBLE_US

    def log_troubled(self) -> bool:
        """Tell whether the log failed just now."""
        return self._monotonic_us() - self._log_failed_at < TROUBLE_US
