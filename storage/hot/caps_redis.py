"""Impression counts that replicas share: one key per holder, every step one script, the server's clock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec

from storage.hot import caps_scripts as scripts
from storage.hot.caps import (
    Claim,
    Counted,
    Holder,
    Reserved,
    Shown,
    Windows,
)
from storage.hot.server import SharedServer
from storage.records.clock import SECOND
from storage.records.tallies import Counter

_PREFIX = "fairlead:caps:"
_pack = msgspec.msgpack.Encoder().encode


class RedisCaps:
    """Impressions by holder on a server of the Redis protocol.

    Every step on a holder is one script on one key, so that replicas cannot pass a limit together. The time is the
    server's: windows and reservations then end at one moment for every replica, however their clocks differ. Calls
    have one deadline and no retry; after a few failures in a row the circuit opens.

    Parameters
    ----------
    url
        ``redis://host:port/db`` or ``unix://path``.
    timeout_s
        The deadline of one call, connecting included.
    clock
        Tells the time (microseconds UTC) in place of the server.
    """

    def __init__(self, url: str, *, timeout_s: float = 0.05, clock: Callable[[], int] | None = None) -> None:
        self._clock = clock
        self._server = SharedServer(url, timeout_s=timeout_s, name="the cap store")
        self._client, self.circuit = self._server.client, self._server.circuit
        self._reserve = self._client.register_script(scripts.RESERVE)
        self._impressed = self._client.register_script(scripts.IMPRESSED)
        self._answered = self._client.register_script(scripts.ANSWERED)
        self._merge = self._client.register_script(scripts.MERGE)

    async def counted(self, holder: Holder) -> Counted:
        """Return what was counted for a holder.

        Raises
        ------
        Unavailable
            If the server does not answer within the deadline.
        """
        if self._clock is not None:
            rows = await self._server.ask(lambda: self._client.get(_key(holder)))
            return Counted(rows if isinstance(rows, bytes) else b"", self._clock() // SECOND)
        pipe = self._client.pipeline(transaction=False)
        pipe.get(_key(holder))
        pipe.time()
        found, (seconds, _) = await self._server.ask(pipe.execute)
        return Counted(found or b"", seconds)

    async def reserve(
        self,
        holder: Holder,
        claims: Sequence[Claim],
        windows: Windows,
        *,
        for_s: int,
        partly: bool = False,
        shown: bool = False,
    ) -> Reserved:
        """Reserve all claims or none; with ``partly`` those that still fit.

        Raises
        ------
        Unavailable
            If the server does not answer; the reservation may then stand until it runs out.
        """
        packed = _pack([(claim.mark, _flat(claim.counters)) for claim in claims])
        arguments = [*self._shared(holder, windows), packed, for_s, int(partly), int(shown)]
        refused, rows, now = await self._server.ask(lambda: self._reserve(keys=[_key(holder)], args=arguments))
        return Reserved(tuple(refused), Counted(rows, now))

    async def impressed(self, shown: Sequence[Shown], windows: Windows) -> Mapping[int, int]:
        """Count impressions, each once; return by cap how many of decisions went above its limit.

        Raises
        ------
        Unavailable
            If the server does not answer; some holders may then be counted.
        """
        over: dict[int, int] = {}
        by_holder = sorted(shown, key=lambda each: (each.holder.session, each.holder.name))
        for holder, group in groupby(by_holder, key=lambda each: each.holder):
            packed = _pack(
                [(each.mark, each.at_s, _flat(each.counters), each.reserved_only, each.decided) for each in group]
            )
            arguments = [*self._shared(holder, windows), packed]
            for cap in await self._server.ask(partial(self._impressed, keys=[_key(holder)], args=arguments)):
                over[cap] = over.get(cap, 0) + 1
        return over

    async def answered(self, holder: Holder, counter: Counter) -> None:
        """Forget the impressions that ``counter`` counted; caps go on counting them.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._server.ask(lambda: self._answered(keys=[_key(holder)], args=list(counter)))

    async def merge(self, source: Holder, target: Holder) -> None:
        """Give a holder the rows of another, which is forgotten.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._server.ask(lambda: self._merge(keys=[_key(source), _key(target)], args=[]))

    async def forget(self, holder: Holder) -> None:
        """Delete everything of a holder.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._server.ask(lambda: self._client.delete(_key(holder)))

    async def close(self) -> None:
        """Release the connections."""
        await self._server.close()

    def _shared(self, holder: Holder, windows: Windows) -> list[Any]:
        now = "" if self._clock is None else self._clock() // SECOND
        packed = [
            (window.cap, window.limit, window.rolling_s, _flat(window.periods), window.most)
            for window in windows.values()
        ]
        return [now, _pack(packed), holder.keeps_s(windows)]


def _flat(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [number for pair in pairs for number in pair]


def _key(holder: Holder) -> str:
    return f"{_PREFIX}{'s' if holder.session else 'p'}:{holder.name}"
