"""The hot store that replicas share: any server of the Redis protocol, asked with a short deadline and a circuit."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.errors import Unavailable
from storage.hot.circuit import Circuit
from storage.hot.learning import VECTOR_BYTES, check
from storage.hot.protocol import Signal
from storage.records.clock import SECOND
from storage.records.consent import Consented
from storage.records.subjects import USER_DIMENSIONS, UserState

T = TypeVar("T")

_PREFIX = "fairlead:user:"
_HEAD = struct.Struct("<dI")
_CALL = 128
_POOL = 64

# One key holds "<dI" (updated_at in µs, events) and the float32 vector. ARGV repeats (key's place, at, weight,
# half-life in µs, vector). The arithmetic is that of storage.hot.learning: doubles, rounded to float32 once per step.
_LEARN = f"""
local states = {{}}
local form = string.rep('f', {USER_DIMENSIONS})
for i = 1, #ARGV, 5 do
  local place = tonumber(ARGV[i])
  local at, weight, half_life = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local vector = {{struct.unpack('<' .. form, ARGV[i + 4])}}
  local before = states[place] or redis.call('GET', KEYS[place])
  local updated, events = at, 0
  if before and #before == {_HEAD.size + VECTOR_BYTES} then
    local kept
    updated, events = struct.unpack('<dI4', before)
    kept = {{struct.unpack('<' .. form, before, {_HEAD.size + 1})}}
    local now = math.max(updated, at)
    local fade = 2 ^ (-(now - updated) / half_life)
    weight = weight * 2 ^ (-(now - at) / half_life)
    for d = 1, {USER_DIMENSIONS} do vector[d] = kept[d] * fade + vector[d] * weight end
    updated = now
  else
    for d = 1, {USER_DIMENSIONS} do vector[d] = weight * vector[d] end
  end
  states[place] = struct.pack('<dI4' .. form, updated, events + 1, unpack(vector, 1, {USER_DIMENSIONS}))
end
for place, state in pairs(states) do redis.call('SET', KEYS[place], state) end
return redis.status_reply('OK')
"""


class RedisStore:
    """Features by subject on a server of the Redis protocol.

    Every call has one deadline and no retry, since a hung server is worse than a stopped one; after a few failures in
    a row the circuit opens and calls are refused at once. What a subject learns in one call is applied atomically.

    Parameters
    ----------
    url
        ``redis://host:port/db`` or ``unix://path``.
    timeout_s
        The deadline of one call, connecting included.
    """

    def __init__(self, url: str, *, timeout_s: float = 0.05) -> None:
        self._timeout_s = timeout_s
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=_POOL,
        )
        self._learn = self._client.register_script(_LEARN)
        self.circuit = Circuit(self._ping)

    async def state(self, who: Consented) -> UserState | None:
        """Return what is known of a consented subject, or None.

        Raises
        ------
        Unavailable
            If the server does not answer within the deadline.
        """
        stored = await self._guarded(lambda: self._client.get(_PREFIX + who.subject))
        if not isinstance(stored, bytes) or len(stored) != _HEAD.size + VECTOR_BYTES:
            return None
        updated_at, events = _HEAD.unpack_from(stored)
        return UserState(vector=stored[_HEAD.size :], updated_at=int(updated_at), events=events)

    async def learn(self, signals: Sequence[Signal]) -> None:
        """Apply signals in order; a read that starts after this returned sees them.

        Raises
        ------
        Unavailable
            If the server does not answer; a later part of a large call is then not applied.
        """
        check(signals)
        for keys, arguments in _calls(signals):
            await self._guarded(partial(self._learn, keys=keys, args=arguments))

    async def forget(self, subject: str) -> None:
        """Delete everything of a subject.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._guarded(lambda: self._client.delete(_PREFIX + subject))

    async def close(self) -> None:
        """Release the connections."""
        await self.circuit.close()
        await self._client.aclose()

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        self.circuit.admit()
        try:
            answer = await self._within(call)
        except Unavailable:
            self.circuit.failed()
            raise
        self.circuit.succeeded()
        return answer

    async def _within(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call()
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("the feature store does not answer; try again later") from error

    async def _ping(self) -> None:
        await self._within(self._client.ping)


def _calls(signals: Sequence[Signal]) -> Iterator[tuple[list[str], list[str | int | float | bytes]]]:
    """Cut signals into calls of the script: whole subjects together, in order, a bounded number at a time."""
    by_subject = sorted(signals, key=lambda signal: signal.subject)  # stable: order within a subject stays
    keys: list[str] = []
    arguments: list[str | int | float | bytes] = []
    for subject, mine in groupby(by_subject, key=lambda signal: signal.subject):
        keys.append(_PREFIX + subject)
        for signal in mine:
            half_life_us = signal.half_life_s * SECOND
            arguments += [len(keys), signal.at, repr(float(signal.weight)), repr(half_life_us), signal.vector]
        if len(arguments) >= 5 * _CALL:
            yield keys, arguments
            keys, arguments = [], []
    if keys:
        yield keys, arguments
