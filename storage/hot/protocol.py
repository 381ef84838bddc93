"""What every hot store promises: what a request may wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.records.consent import Consented
from storage.records.subjects import Statement, UserState


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One step of a person's state, at event time ``at`` (microseconds).

    ``weight`` times ``vector`` (float32 × USER_DIMENSIONS) joins the vector, ``weight`` times each of ``tokens`` (rows
    of TOKEN_DTYPE) the interests; both fade by ``half_life_s``. ``item`` (an ordinal) is kept among the recent ones
    under ``roles`` (bits of ROLES). ``adds`` are amounts by place in COUNTERS. ``session`` is a 32-bit number of the
    session's key, ``level`` a login level; 0 and None stand for what an event does not say.
    """

    subject: str
    at: int
    weight: float
    half_life_s: float
    vector: bytes
    tokens: bytes = b""
    item: int | None = None
    roles: int = 0
    adds: tuple[tuple[int, float], ...] = ()
    session: int = 0
    level: int | None = None


class HotStore(Protocol):
    """Features by subject. The memory and the Redis twin give the same bytes for the same calls."""

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None. Raises ``Unavailable``."""

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them. Raises ``Unavailable``."""

    async def state_explicitly(self, statement: Statement) -> None:
        """Let exactly this be what the person stated; older than what is held already, it changes nothing. Raises
        ``Unavailable``."""

    async def merge(self, anonymous: str, account: str) -> bool:
        """Let what is known of an anonymous visitor join an account and be known of the visitor no more, in one step;
        tell whether anything was known. Raises ``Unavailable``."""

    async def replace(self, subject: str, signals: Sequence[Signal], statement: Statement | None) -> None:
        """Let these signals and this statement be all that is known of a subject. Raises ``Unavailable``."""

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject."""

    async def close(self) -> None:
        """Release connections."""
