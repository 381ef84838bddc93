"""The in-process hot store: features of one replica, bounded, gone when it stops."""

from collections.abc import Sequence

from storage.hot.learning import active_at, check, learned, merged, relearned, stated, viewed
from storage.hot.protocol import Signal
from storage.hot.table import PackedTable, key_of
from storage.records.consent import Consented
from storage.records.subjects import Statement, UserState


class MemoryStore:
    """Features by subject in memory, packed.

    Parameters
    ----------
    max_subjects
        How many subjects are kept; beyond that, of a few subjects the one that was active longest ago gives way.
    """

    def __init__(self, *, max_subjects: int = 1_000_000) -> None:
        self._states = PackedTable()
        self._max_subjects = max_subjects

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None."""
        packed = self._states.get(key_of(who.subject))
        return None if packed is None else viewed(packed)

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them."""
        check(signals)
        groups: dict[str, list[Signal]] = {}
        for signal in signals:
            groups.setdefault(signal.subject, []).append(signal)
        if not groups:
            return
        keys = [key_of(subject) for subject in groups]
        before = [self._states.get(key) or b"" for key in keys]
        for key, packed in zip(keys, learned(before, list(groups.values())), strict=True):
            self._put(key, packed)

    async def state_explicitly(self, statement: Statement) -> None:
        """Let exactly this be what the person stated; older than what is held already, it changes nothing."""
        key = key_of(statement.subject)
        self._put(key, stated(self._states.get(key) or b"", statement))

    async def merge(self, anonymous: str, account: str) -> bool:
        """Let what is known of an anonymous visitor join an account; tell whether anything was known."""
        left, right = key_of(anonymous), key_of(account)
        visitor = self._states.get(left)
        if visitor is None or left == right:
            return False
        self._put(right, merged(visitor, self._states.get(right) or b""))
        self._states.pop(left)
        return True

    async def replace(self, subject: str, signals: Sequence[Signal], statement: Statement | None) -> None:
        """Let these signals and this statement be all that is known of a subject."""
        key = key_of(subject)
        packed = relearned(signals, statement)
        self._states.pop(key)
        if packed:
            self._put(key, packed)

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject."""
        self._states.pop(key_of(subject))

    async def close(self) -> None:
        """Release nothing: there are no connections."""

    def _put(self, key: bytes, packed: bytes) -> None:
        self._states.put(key, packed)
        if len(self._states) > self._max_subjects:
            self._states.shrink(self._max_subjects, active_at)
