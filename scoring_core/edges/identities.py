"""From raw ids to pseudonyms, without ever making the event loop wait for a database."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor

from scoring_core.edges.telemetry import Telemetry
from storage.errors import FairleadError

LIMIT = 200_000
WAIT_S = 0.25
REST_S = 1.0
BATCH = 1_000


class Identities:
    """A bounded cache before ``resolve``, which blocks and runs on ``executor``; requests that wait are resolved
    together. While the database is away a subject that is not in the cache is unknown (None), at once.

    Parameters
    ----------
    resolve
        Raw ids to pseudonyms; makes what is missing. Raises ``FairleadError`` when it cannot.
    clock_s
        A monotonic clock in seconds.
    wait_s
        How long a request waits at most.
    """

    def __init__(
        self,
        resolve: Callable[[Sequence[str]], Mapping[str, str]],
        executor: Executor,
        telemetry: Telemetry,
        *,
        clock_s: Callable[[], float],
        limit: int = LIMIT,
        wait_s: float = WAIT_S,
    ) -> None:
        self._resolve = resolve
        self._executor = executor
        self._clock_s = clock_s
        self._limit = limit
        self._wait_s = wait_s
        self._cache: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[str | None]] = {}
        self._work: asyncio.Task[None] | None = None
        self._rest_until = 0.0
        self._hit, self._miss, self._error = (
            telemetry.cache.child("pseudonym", result) for result in ("hit", "miss", "error")
        )

    def __len__(self) -> int:
        return len(self._cache)

    def forget(self, pseudonyms: frozenset[str]) -> None:
        """Let nobody be known by these pseudonyms; who comes again is asked for anew."""
        for raw in [raw for raw, pseudonym in self._cache.items() if pseudonym in pseudonyms]:
            del self._cache[raw]

    def cached(self, raw: str) -> str | None:
        """Return the pseudonym if it is at hand."""
        found = self._cache.get(raw)
        if found is not None:
            self._cache.move_to_end(raw)
            self._hit.value += 1
        return found

    async def pseudonym(self, raw: str) -> str | None:
        """Return the pseudonym of a raw id, or None while it cannot be had."""
        return self.cached(raw) or (await self.pseudonyms((raw,))).get(raw)

    async def pseudonyms(self, raws: Iterable[str]) -> dict[str, str]:
        """Return the pseudonyms of raw ids; one that cannot be had is absent."""
        found: dict[str, str] = {}
        missing: list[str] = []
        for raw in raws:
            cached = self.cached(raw)
            if cached is None:
                missing.append(raw)
            else:
                found[raw] = cached
        if not missing:
            return found
        if self._clock_s() < self._rest_until:
            self._error.value += len(missing)
            return found
        waits = [self._wait_for(raw) for raw in missing]
        await asyncio.wait(waits, timeout=self._wait_s)
        for raw, wait in zip(missing, waits, strict=True):
            pseudonym = wait.result() if wait.done() else None
            if pseudonym is None:
                self._error.value += 1
            else:
                found[raw] = pseudonym
        if not all(wait.done() for wait in waits):
            self._rest_until = self._clock_s() + REST_S
        return found

    def _wait_for(self, raw: str) -> asyncio.Future[str | None]:
        waiting = self._waiting.get(raw)
        if waiting is None:
            self._miss.value += 1
            waiting = self._waiting[raw] = asyncio.get_running_loop().create_future()
            if self._work is None or self._work.done():
                self._work = asyncio.create_task(self._drain())
        return waiting

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = list(self._waiting)[:BATCH]
            try:
                resolved = await loop.run_in_executor(self._executor, self._resolve, batch)
            except FairleadError:
                resolved = {}
                self._rest_until = self._clock_s() + REST_S
            for raw in batch:
                pseudonym = resolved.get(raw)
                if pseudonym is not None:
                    self._keep(raw, pseudonym)
                self._waiting.pop(raw).set_result(pseudonym)

    def _keep(self, raw: str, pseudonym: str) -> None:
        self._cache[raw] = pseudonym
        if len(self._cache) > self._limit:
            self._cache.popitem(last=False)
