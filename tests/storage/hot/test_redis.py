"""The Redis store when its server hangs, refuses, comes back, or holds something strange (R3, R4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
import redis

from storage.errors import Unavailable
from storage.hot.protocol import Signal
from storage.hot.redis import RedisStore
from storage.records.consent import Consented
from storage.records.subjects import USER_DIMENSIONS

WHO = Consented("s")
SIGNAL = Signal(subject="s", at=1, weight=1.0, half_life_s=1.0, vector=np.ones(USER_DIMENSIONS, "<f4").tobytes())


class Proxy:
    """Stands between the store and its server; can hang, refuse, or pass, and counts the connections."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.passing = asyncio.Event()
        self.passing.set()
        self.connections = 0
        self.requests = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, far_writer))
                    group.create_task(self._pump(far_reader, writer))
            finally:
                far_writer.close()
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.requests += 1
            await self.passing.wait()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def behind_proxy(url: str, *, timeout_s: float = 0.5) -> AsyncIterator[tuple[Proxy, RedisStore]]:
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy._connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = RedisStore(f"redis://127.0.0.1:{port}/0", timeout_s=timeout_s)
    try:
        yield proxy, store
    finally:
        await store.close()
        server.close()
        await proxy.close()


async def until_closed(store: RedisStore) -> None:
    while store.circuit.open:
        await asyncio.sleep(0.02)


def test_a_hung_server_costs_a_few_deadlines_and_then_nothing(redis_url: str) -> None:
    async def scenario() -> None:
        async with behind_proxy(redis_url) as (proxy, store):
            await store.learn([SIGNAL])
            proxy.passing.clear()
            for _ in range(3):
                with pytest.raises(Unavailable, match="does not answer"):
                    await store.state(WHO)
            assert store.circuit.open
            asked = proxy.connections, proxy.requests
            for call in (store.state(WHO), store.learn([SIGNAL]), store.forget("s")):
                with pytest.raises(Unavailable, match="circuit is open"):
                    await call
            assert (proxy.connections, proxy.requests) == asked
            proxy.passing.set()
            await until_closed(store)
            assert await store.state(WHO) is not None

    asyncio.run(scenario())


def test_a_server_that_refuses_opens_the_circuit_too() -> None:
    async def scenario() -> None:
        store = RedisStore("redis://127.0.0.1:1/0")
        for _ in range(3):
            with pytest.raises(Unavailable):
                await store.state(WHO)
        assert store.circuit.open
        await store.close()
        assert not store.circuit.open

    asyncio.run(scenario())


def test_one_failure_alone_does_not_open_it(redis_url: str) -> None:
    async def scenario() -> None:
        async with behind_proxy(redis_url) as (proxy, store):
            for _ in range(4):
                proxy.passing.clear()
                with pytest.raises(Unavailable):
                    await store.state(WHO)
                proxy.passing.set()
                await store.learn([SIGNAL])
            assert not store.circuit.open

    asyncio.run(scenario())


def test_a_cancelled_call_leaves_no_answer_behind_for_the_next(redis_url: str) -> None:
    async def scenario() -> None:
        async with behind_proxy(redis_url, timeout_s=5.0) as (proxy, store):
            await store.learn([SIGNAL])
            proxy.passing.clear()
            task = asyncio.create_task(store.state(WHO))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            proxy.passing.set()
            assert await store.state(Consented("somebody else")) is None

    asyncio.run(scenario())


def test_a_server_that_lost_its_scripts_is_taught_again(redis_url: str) -> None:
    async def scenario() -> None:
        store = RedisStore(redis_url, timeout_s=10.0)
        await store.learn([SIGNAL])
        with redis.Redis.from_url(redis_url) as client:
            client.script_flush()
        await store.learn([SIGNAL])
        state = await store.state(WHO)
        assert state is not None
        assert state.events == 2
        await store.close()

    asyncio.run(scenario())


def test_something_strange_under_the_key_is_unknown_and_learned_over(redis_url: str) -> None:
    async def scenario() -> None:
        store = RedisStore(redis_url, timeout_s=10.0)
        with redis.Redis.from_url(redis_url) as client:
            client.set("fairlead:user:s", b"another version's vector")
        assert await store.state(WHO) is None
        await store.learn([SIGNAL])
        state = await store.state(WHO)
        assert state is not None
        assert state.events == 1
        await store.close()

    asyncio.run(scenario())
