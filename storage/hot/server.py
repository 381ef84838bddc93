"""A server of the Redis protocol as stores ask it: one short deadline, no retry, behind a circuit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.errors import Unavailable
from storage.hot.circuit import Circuit

T = TypeVar("T")

MOST_CONNECTIONS = 64


class SharedServer:
    """Asks a server, and stops asking one that does not answer.

    Parameters
    ----------
    url
        ``redis://…``, ``rediss://…`` or ``unix://…``.
    timeout_s
        The deadline of a call: connecting, waiting and answering in all.
    name
        Which store does not answer, in the words of the error.
    """

    def __init__(self, url: str, *, timeout_s: float, name: str) -> None:
        self.timeout_s = timeout_s
        self._name = name
        self.client: Redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=MOST_CONNECTIONS,
        )
        self.circuit = Circuit(self._ping)

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a call answers.

        Raises
        ------
        Unavailable
            If it does not answer within the deadline, or the circuit is open.
        """
        self.circuit.admit()
        try:
            answer = await self._within(call)
        except Unavailable:
            self.circuit.failed()
            raise
        self.circuit.succeeded()
        return answer

    async def close(self) -> None:
        """Stop probing and release the connections."""
        await self.circuit.close()
        await self.client.aclose()

    async def _within(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await call()
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"{self._name} does not answer; try again later") from error

    async def _ping(self) -> None:
        await self._within(self.client.ping)
