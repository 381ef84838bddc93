"""A circuit: after a few failures nobody waits for a peer any more, until it answers again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from storage.errors import Unavailable


class Circuit:
    """Counts failures in a row and opens; while it is open, only its own probe tries the peer.

    Requests never pay for finding out whether the peer is back.

    Parameters
    ----------
    probe
        Asks the peer for a sign of life; raises ``Unavailable`` if there is none.
    failures
        How many failures in a row open the circuit.
    every_s
        How often the probe runs while it is open.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]], *, failures: int = 3, every_s: float = 0.25) -> None:
        self._probe = probe
        self._limit = failures
        self._every_s = every_s
        self._failed = 0
        self._healing: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether calls are refused at once."""
        return self._healing is not None

    def admit(self) -> None:
        """Let a call through.

        Raises
        ------
        Unavailable
            If the circuit is open.
        """
        if self._healing is not None:
            raise Unavailable("the feature store does not answer; its circuit is open")

    def succeeded(self) -> None:
        """Record that the peer answered."""
        self._failed = 0

    def failed(self) -> None:
        """Record that the peer did not answer; enough of that in a row opens the circuit."""
        self._failed += 1
        if self._failed >= self._limit and self._healing is None:
            self._healing = asyncio.get_running_loop().create_task(self._heal())

    async def _heal(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            with contextlib.suppress(Unavailable):
                await self._probe()
                self._failed = 0
                self._healing = None
                return

    async def close(self) -> None:
        """Stop the probe."""
        if self._healing is not None:
            self._healing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._healing
            self._healing = None
