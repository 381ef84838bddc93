"""What every hot store promises: what a request may wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.records.consent import Consented
from storage.records.subjects import UserState


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One step of a user's vector: decay to ``at`` by ``half_life_s``, then add ``weight`` times ``vector``."""

    subject: str
    at: int
    weight: float
    half_life_s: float
    vector: bytes


class HotStore(Protocol):
    """Features by subject. The memory and the Redis twin give the same results for the same calls."""

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None. Raises ``Unavailable``."""

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them. Raises ``Unavailable``."""

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject."""

    async def close(self) -> None:
        """Release connections."""
