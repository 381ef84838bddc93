"""Impression counts that replicas share: one key per holder, every step one script, the server's clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.errors import Unavailable
from storage.hot.caps import KNOWN_S, MOST_ROWS, RESERVED, Claim, Counted, Holder, Reserved, Shown, Windows
from storage.hot.circuit import Circuit
from storage.records.clock import SECOND

T = TypeVar("T")

_PREFIX = "fairlead:caps:"
_POOL = 64
_pack = msgspec.msgpack.Encoder().encode

# Rows are those of storage.hot.caps.ROW, the steps those of storage.hot.caps_memory. ARGV: the time in seconds (empty:
# the server's), windows {cap, limit, rolling seconds, {begins, since, ...}}, how long to keep the key (0: for good).
_SHARED = f"""
local RESERVED, KNOWN, MOST = {RESERVED}, {KNOWN_S}, {MOST_ROWS}
local now = tonumber(ARGV[1]) or tonumber(redis.call('TIME')[1])
local limits, since = {{}}, {{}}
for _, window in ipairs(cmsgpack.unpack(ARGV[2])) do
  local cap, periods = window[1], window[4]
  local first = math.max(now - window[3], 0)
  if #periods > 0 then
    first = periods[2]
    for i = 1, #periods, 2 do if periods[i] <= now then first = periods[i + 1] end end
  end
  limits[cap], since[cap] = window[2], first
end
local found = redis.call('GET', KEYS[1]) or ''
local rows, counts = {{}}, {{}}
for i = 1, #found - 15, 16 do
  local cap, value, at, mark = struct.unpack('<I4I4I4I4', found, i)
  local first, lives, counted = since[cap], nil, nil
  if mark >= RESERVED then
    lives = at > now
    counted = lives
  else
    lives = first == nil or at >= math.min(first, now - KNOWN)
    counted = first ~= nil and at >= first
  end
  if lives then rows[#rows + 1] = {{cap, value, at, mark}} end
  if counted and first ~= nil then
    local counter = cap .. ':' .. value
    counts[counter] = (counts[counter] or 0) + 1
  end
end
local function put()
  local from = math.max(#rows - MOST, 0) + 1
  if from > #rows then redis.call('DEL', KEYS[1]) return end
  local packed = {{}}
  for i = from, #rows do
    local row = rows[i]
    packed[#packed + 1] = struct.pack('<I4I4I4I4', row[1], row[2], row[3], row[4])
  end
  local keep, left = tonumber(ARGV[3]), redis.call('TTL', KEYS[1])
  if keep == 0 or left == -1 then redis.call('SET', KEYS[1], table.concat(packed))
  else redis.call('SET', KEYS[1], table.concat(packed), 'EX', math.max(keep, left)) end
end
"""

# ARGV[4] claims {mark, {cap, value, ...}}; [5] seconds; [6] '1' partly; [7] '1' shown.
_RESERVE = (
    _SHARED
    + """
local at, flag = now + tonumber(ARGV[5]) + 1, RESERVED
if ARGV[7] == '1' then at, flag = now, 0 end
local known, refused = {}, {}
for _, row in ipairs(rows) do known[row[1] .. ':' .. row[2] .. ':' .. row[4] % RESERVED] = true end
for place, claim in ipairs(cmsgpack.unpack(ARGV[4])) do
  local mark, counters, fits = claim[1], claim[2], true
  for i = 1, #counters, 2 do
    local counter = counters[i] .. ':' .. counters[i + 1]
    if not known[counter .. ':' .. mark] and (counts[counter] or 0) >= limits[counters[i]] then fits = false end
  end
  if fits then
    for i = 1, #counters, 2 do
      local counter = counters[i] .. ':' .. counters[i + 1]
      if not known[counter .. ':' .. mark] then
        counts[counter] = (counts[counter] or 0) + 1
        known[counter .. ':' .. mark] = true
        rows[#rows + 1] = {counters[i], counters[i + 1], at, mark + flag}
      end
    end
  else
    refused[#refused + 1] = place - 1
  end
end
if #refused == 0 or ARGV[6] == '1' then put() end
return {refused, found, now}
"""
)

# ARGV[4] impressions {mark, at, {cap, value, ...}, reserved only, decided}.
_IMPRESSED = (
    _SHARED
    + """
local over = {}
for _, shown in ipairs(cmsgpack.unpack(ARGV[4])) do
  local mark, at, counters = shown[1], math.min(shown[2], now), shown[3]
  local known, held = false, {}
  for place, row in ipairs(rows) do
    if row[4] == mark then known = true elseif row[4] == mark + RESERVED then held[#held + 1] = place end
  end
  if known then
  elseif #held > 0 or shown[4] then
    for _, place in ipairs(held) do
      local row = rows[place]
      row[3], row[4] = at, mark
      if since[row[1]] and at < since[row[1]] then
        local counter = row[1] .. ':' .. row[2]
        counts[counter] = counts[counter] - 1
      end
    end
  else
    for i = 1, #counters, 2 do
      local cap = counters[i]
      if at >= math.min(since[cap], now - KNOWN) then
        rows[#rows + 1] = {cap, counters[i + 1], at, mark}
        if at >= since[cap] then
          local counter = cap .. ':' .. counters[i + 1]
          counts[counter] = (counts[counter] or 0) + 1
          if shown[5] and counts[counter] > limits[cap] then over[#over + 1] = cap end
        end
      end
    end
  end
end
put()
return over
"""
)

_MERGE = f"""
local moved = redis.call('GET', KEYS[1])
if not moved then return 0 end
local left, kept = redis.call('TTL', KEYS[1]), redis.call('TTL', KEYS[2])
local rows, known, packed = (redis.call('GET', KEYS[2]) or '') .. moved, {{}}, {{}}
for i = 1, #rows - 15, 16 do
  local row = rows:sub(i, i + 15)
  if not known[row] then known[row] = true packed[#packed + 1] = row end
end
local whole = table.concat(packed, '', math.max(#packed - {MOST_ROWS}, 0) + 1)
if left == -1 or kept == -1 then redis.call('SET', KEYS[2], whole)
else redis.call('SET', KEYS[2], whole, 'EX', math.max(left, kept, 1)) end
redis.call('DEL', KEYS[1])
return 1
"""


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
        self._timeout_s = timeout_s
        self._clock = clock
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=_POOL,
        )
        self._reserve = self._client.register_script(_RESERVE)
        self._impressed = self._client.register_script(_IMPRESSED)
        self._merge = self._client.register_script(_MERGE)
        self.circuit = Circuit(self._ping)

    async def counted(self, holder: Holder) -> Counted:
        """Return what was counted for a holder.

        Raises
        ------
        Unavailable
            If the server does not answer within the deadline.
        """
        if self._clock is not None:
            rows = await self._guarded(lambda: self._client.get(_key(holder)))
            return Counted(rows if isinstance(rows, bytes) else b"", self._clock() // SECOND)
        pipe = self._client.pipeline(transaction=False)
        pipe.get(_key(holder))
        pipe.time()
        found, (seconds, _) = await self._guarded(pipe.execute)
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
        refused, rows, now = await self._guarded(lambda: self._reserve(keys=[_key(holder)], args=arguments))
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
            for cap in await self._guarded(partial(self._impressed, keys=[_key(holder)], args=arguments)):
                over[cap] = over.get(cap, 0) + 1
        return over

    async def merge(self, source: Holder, target: Holder) -> None:
        """Give a holder the rows of another, which is forgotten.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._guarded(lambda: self._merge(keys=[_key(source), _key(target)], args=[]))

    async def forget(self, holder: Holder) -> None:
        """Delete everything of a holder.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        await self._guarded(lambda: self._client.delete(_key(holder)))

    async def close(self) -> None:
        """Release the connections."""
        await self.circuit.close()
        await self._client.aclose()

    def _shared(self, holder: Holder, windows: Windows) -> list[Any]:
        now = "" if self._clock is None else self._clock() // SECOND
        packed = [(window.cap, window.limit, window.rolling_s, _flat(window.periods)) for window in windows.values()]
        return [now, _pack(packed), holder.keeps_s(windows)]

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
            raise Unavailable("the cap store does not answer; try again later") from error

    async def _ping(self) -> None:
        await self._within(self._client.ping)


def _flat(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return [number for pair in pairs for number in pair]


def _key(holder: Holder) -> str:
    return f"{_PREFIX}{'s' if holder.session else 'p'}:{holder.name}"
