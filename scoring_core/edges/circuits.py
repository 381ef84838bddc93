"""A circuit breaker: after failures in a row nothing is asked for a while, then once, to see.

References
----------
Nygard, Release It!, 2nd ed., 2018, chapter 5.
"""

from collections.abc import Callable
from typing import Literal

State = Literal["closed", "half", "open"]

FAILURES = 5
"""So many in a row open it."""
REST_S = 10.0
"""So long nothing is asked."""


class Circuit:
    """Closed: everything is asked. Open: nothing is. Half: one call is on its way to see whether it works again."""

    def __init__(self, clock_s: Callable[[], float], *, failures: int = FAILURES, rest_s: float = REST_S) -> None:
        self._clock_s = clock_s
        self._most = failures
        self._rest_s = rest_s
        self._failed = 0
        self._tried_at = 0.0

    def state(self) -> State:
        """Return what it is now."""
        if self._failed < self._most:
            return "closed"
        return "open" if self._clock_s() - self._tried_at < self._rest_s else "half"

    def allows(self) -> bool:
        """Tell whether a call may go out. The one that goes out after the rest counts as tried: no other follows it
        before another rest."""
        state = self.state()
        if state == "half":
            self._tried_at = self._clock_s()
        return state != "open"

    def worked(self) -> None:
        """Note a call that succeeded."""
        self._failed = 0

    def failed(self) -> None:
        """Note one that did not."""
        self._failed = min(self._failed + 1, self._most)
        if self._failed == self._most:
            self._tried_at = self._clock_s()
