"""Threads that belong to one plugin: what hangs there holds up nobody else, and nobody waits for it at the end."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from storage.errors import Invalid, Unavailable

Work = Callable[[], Any]


class Lane:
    """Runs calls of one plugin: plain functions on at most ``width`` threads, coroutines on a loop of its own.

    At most ``most`` calls are under way; beyond that, and while all threads are taken, a call is refused at once.
    """

    def __init__(self, name: str, *, width: int = 4, most: int = 64) -> None:
        self._name = name
        self._width = width
        self._most = most
        self._waiting: SimpleQueue[tuple[Future[Any], Work] | None] = SimpleQueue()
        self._threads = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Work, *, coroutine: bool = False) -> Future[Any]:
        """Begin a call.

        Raises
        ------
        Unavailable
            If too many are still under way.
        """
        with self._lock:
            if self._under_way >= (self._most if coroutine else self._width):
                raise Unavailable(f"{self._name}: the calls before are still under way")
            self._under_way += 1
        if coroutine:
            future = asyncio.run_coroutine_threadsafe(_awaited(work), self._own_loop())
            future.add_done_callback(lambda _done: self._end())
            return future
        future = Future()
        self._waiting.put((future, work))
        if self._threads < self._width:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"plugin {self._name}", daemon=True).start()
        return future

    def close(self) -> None:
        """Let idle threads end; one that hangs is left behind."""
        for _ in range(self._threads):
            self._waiting.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _end(self) -> None:
        with self._lock:
            self._under_way -= 1

    def _serve(self) -> None:
        while (taken := self._waiting.get()) is not None:
            future, work = taken
            found, problem = None, None
            try:
                found = work()
                if inspect.isawaitable(found):
                    raise TypeError("an awaitable of a plain function")
            except BaseException as error:  # whatever another's code raises, exits among it
                problem = _plain(error)
            self._end()
            if future.set_running_or_notify_cancel():
                if problem is None:
                    future.set_result(found)
                else:
                    future.set_exception(problem)

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()

            def run() -> None:
                try:
                    loop.run_forever()
                finally:
                    loop.close()

            threading.Thread(target=run, name=f"plugin {self._name}", daemon=True).start()
        return self._loop


async def _awaited(work: Work) -> Any:
    try:
        return await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        raise _plain(error) from None


def _plain(error: BaseException) -> RuntimeError:
    """Return what may be said of another's error: its kind, not its words, which may hold anything."""
    return RuntimeError(str(error) if isinstance(error, Invalid) else type(error).__name__)
