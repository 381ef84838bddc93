"""A TCP relay between an engine and a store, which can go silent or hang up; it keeps what was asked meanwhile."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Literal

Mode = Literal["relay", "silent", "refuse"]


class Relay:
    """Relays to a port or a Unix socket.

    ``silent``: connections stay open and new ones are taken, but nothing goes through until the relay is mended, as
    with a peer that was stopped or lies behind a network that drops every packet. ``refuse``: every connection is
    reset, and so is every new one. ``asked`` gathers what the near side sent, in pieces.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._far_port = host, port
        self.mode: Mode = "relay"
        self.asked: list[bytes] = []
        self.opened = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        """Set while bytes may pass; a connection keeps the one that it was opened under."""
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()
        self.port: int = self._run(self._listen())

    def set(self, mode: Mode) -> None:
        """Change how it behaves, from now on and for the connections that it holds."""
        self._run(self._set(mode))

    def forget(self) -> None:
        """Serve new connections and leave those of before silent for good, as a new host in the old one's place."""
        self._run(self._forget())

    def close(self) -> None:
        """Hang up and end."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _set(self, mode: Mode) -> None:
        self.mode = mode
        if mode == "silent":
            self._open.clear()
        else:
            self._open.set()
        if mode == "refuse":
            self._hang_up()

    async def _forget(self) -> None:
        self.mode, self._open = "relay", asyncio.Event()
        self._open.set()

    def _hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        self._hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.opened += 1
        try:
            if self.mode != "refuse":
                await self._relay(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = self._open
        await opened.wait()
        far_reader, far_writer = await self._reach()
        self._writers.add(far_writer)
        try:
            async with asyncio.TaskGroup() as group:
                there = group.create_task(self._pump(reader, far_writer, near=True))
                back = group.create_task(self._pump(far_reader, writer, near=False))
                await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
                there.cancel()
                back.cancel()
        finally:
            far_writer.transport.abort()
            self._writers.discard(far_writer)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._far_port}")
        return await asyncio.open_connection(self._host, self._far_port)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, near: bool) -> None:
        opened = self._open
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if near:
                    self.asked.append(data)
                await opened.wait()
                sink.write(data)
                await sink.drain()
