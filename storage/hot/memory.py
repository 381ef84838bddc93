"""The in-process hot store: features of one replica, bounded, gone when it stops."""

from collections import OrderedDict
from collections.abc import Sequence

from storage.hot.learning import check, learned
from storage.hot.protocol import Signal
from storage.records.consent import Consented
from storage.records.subjects import UserState


class MemoryStore:
    """Features by subject in memory.

    Parameters
    ----------
    max_subjects
        How many subjects are kept; beyond that, the one that learned longest ago gives way.
    """

    def __init__(self, *, max_subjects: int = 1_000_000) -> None:
        self._states: OrderedDict[str, UserState] = OrderedDict()
        self._max_subjects = max_subjects

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None."""
        return self._states.get(who.subject)

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them."""
        check(signals)
        for signal in signals:
            self._states[signal.subject] = learned(self._states.get(signal.subject), signal)
            self._states.move_to_end(signal.subject)
        while len(self._states) > self._max_subjects:
            self._states.popitem(last=False)

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject."""
        self._states.pop(subject, None)

    async def close(self) -> None:
        """Release nothing: there are no connections."""
