"""The number of a decision within its session."""

from collections import OrderedDict

SESSIONS = 100_000


class Sequences:
    """How many decisions a session had so far, for the sessions seen last."""

    def __init__(self, limit: int = SESSIONS) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._limit = limit

    def next(self, session: str | None) -> int:
        """Return the number of the session's next decision, from 1; 0 without a session."""
        if session is None:
            return 0
        number = self._counts.pop(session, 0) + 1
        self._counts[session] = number
        if len(self._counts) > self._limit:
            self._counts.popitem(last=False)
        return number
