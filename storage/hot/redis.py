"""The hot store that replicas share: any server of the Redis protocol, asked with a short deadline and a circuit."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any
from zlib import crc32

from storage.errors import Unavailable
from storage.hot.learning import check, learned, merged, relearned, stated, viewed
from storage.hot.packed import FORMAT
from storage.hot.protocol import Signal
from storage.hot.server import SharedServer
from storage.records.consent import Consented
from storage.records.subjects import Statement, UserState

_PREFIX = "fairlead:user:"
_CALL = 128
_ATTEMPTS = 32
"""How often a step is computed again because another replica was faster, before it is given up."""

# ARGV repeats, per key, what it must hold now and what it shall hold (empty: nothing). Keys that changed meanwhile stay
# as they are and are named. With ARGV[1] = 1 it is all or nothing.
_SWAP = """
local whole, changed = ARGV[1] == '1', {}
for i = 1, #KEYS do
  if (redis.call('GET', KEYS[i]) or '') ~= ARGV[2 * i] then changed[#changed + 1] = i end
end
if whole and #changed > 0 then return changed end
local kept = {}
for _, i in ipairs(changed) do kept[i] = true end
for i = 1, #KEYS do
  if not kept[i] then
    if ARGV[2 * i + 1] == '' then redis.call('DEL', KEYS[i]) else redis.call('SET', KEYS[i], ARGV[2 * i + 1]) end
  end
end
return changed
"""


class RedisStore:
    """Features by subject on a server of the Redis protocol.

    States are computed here and swapped in only if nobody else changed them meanwhile. Every call has one deadline and
    no retry, since a hung server is worse than a stopped one; after a few failures in a row the circuit opens and calls
    are refused at once.

    Parameters
    ----------
    url
        ``redis://host:port/db`` or ``unix://path``.
    timeout_s
        The deadline of one call, connecting included.
    """

    def __init__(self, url: str, *, timeout_s: float = 0.05) -> None:
        self._server = SharedServer(url, timeout_s=timeout_s, name="the feature store")
        self._client, self.circuit = self._server.client, self._server.circuit
        self._swap = self._client.register_script(_SWAP)
        self._turn = asyncio.Lock()

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None.

        Raises
        ------
        Unavailable
            If the server does not answer within the deadline.
        """
        packed = await self._server.ask(lambda: self._client.get(_PREFIX + who.subject))
        state = _opened(packed)
        return viewed(state) if state else None

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them.

        Raises
        ------
        Unavailable
            If the server does not answer; a later part of a large call is then not applied.
        """
        check(signals)
        groups: dict[str, list[Signal]] = {}
        for signal in signals:
            groups.setdefault(signal.subject, []).append(signal)
        left = iter(groups.items())
        while call := dict(islice(left, _CALL)):
            await self._change(tuple(call), partial(_taught, call))

    async def state_explicitly(self, statement: Statement) -> None:
        """Let exactly this be what the person stated; older than what is held already, it changes nothing.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._change(
            (statement.subject,),
            lambda held: {subject: stated(before, statement) for subject, before in held.items()},
        )

    async def merge(self, anonymous: str, account: str) -> bool:
        """Let what is known of an anonymous visitor join an account; tell whether anything was known.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        if anonymous == account:
            return False
        found = False

        def join(held: Mapping[str, bytes]) -> Mapping[str, bytes]:
            nonlocal found
            found = bool(held[anonymous])
            return {anonymous: b"", account: merged(held[anonymous], held[account])}

        await self._change((anonymous, account), join, whole=True)
        return found

    async def replace(self, subject: str, signals: Sequence[Signal], statement: Statement | None) -> None:
        """Let these signals and this statement be all that is known of a subject.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        packed = relearned(signals, statement)
        await self._change((subject,), lambda _held: {subject: packed})

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._server.ask(lambda: self._client.delete(_PREFIX + subject))

    async def close(self) -> None:
        """Release the connections."""
        await self._server.close()

    async def _change(
        self,
        subjects: tuple[str, ...],
        compute: Callable[[Mapping[str, bytes]], Mapping[str, bytes]],
        *,
        whole: bool = False,
    ) -> None:
        """Read, compute, swap; again for those that someone else changed meanwhile. One at a time in this process: it
        would only get into its own way."""
        async with self._turn:
            for _ in range(_ATTEMPTS):
                keys = [_PREFIX + subject for subject in subjects]
                found: list[Any] = await self._server.ask(partial(self._client.mget, keys))
                made = compute({subject: _opened(value) for subject, value in zip(subjects, found, strict=True)})
                arguments: list[str | int | float | bytes] = [int(whole)]
                for subject, before in zip(subjects, found, strict=True):
                    arguments += [before or b"", _sealed(made[subject])]
                changed = await self._server.ask(partial(self._swap, keys=keys, args=arguments))
                if not changed:
                    return
                if not whole:
                    subjects = tuple(subjects[place - 1] for place in changed)
        raise Unavailable("the feature store changes faster than it can be written; try again later")


def _sealed(packed: bytes) -> bytes:
    """Return what is written: a checksum, then the state."""
    return crc32(packed, FORMAT).to_bytes(4, "little") + packed if packed else b""


def _opened(value: Any) -> bytes:
    """Return the state that a value holds; empty for none, and for anything that no store of this version wrote."""
    if not isinstance(value, bytes) or _sealed(value[4:]) != value:
        return b""
    return value[4:]


def _taught(groups: Mapping[str, Sequence[Signal]], held: Mapping[str, bytes]) -> Mapping[str, bytes]:
    made = learned(list(held.values()), [groups[subject] for subject in held])
    return dict(zip(held, made, strict=True))
