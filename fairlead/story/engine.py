"""The engine of a story: a real replica on the story's clock, served over HTTP for the collectors, asked in place."""

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from fairlead.settings import Settings
from fairlead.story.clock import StoryClock
from fairlead.wiring import engine_config
from scoring_core.edges.engine import bind, build_app, serve
from scoring_core.edges.replica import Replica
from storage.errors import Unavailable

REPLICA = "story-0"
"""Its name in every receipt, record and series: it is seen that nobody of today served this."""
NEVER_S = 1e6
"""Longer than any story takes to tell: its windows are closed when the story says so."""
KEPT_S = 90_000.0
"""How long its windows wait to be read, by its own clock."""
HELD_S = 30.0
"""How long consent and receipts hold: nobody but the story itself changes them meanwhile."""
PATIENCE_S = 60.0
LOOK_S = 0.005
POLL_S = 0.05
"""How often it looks for what control wrote: a story writes seldom, and waits for it."""

Ask = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


class StoryEngine:
    """One replica in a thread of its own.

    Parameters
    ----------
    settings
        Those of the installation.
    clock
        The story's clock.
    token
        With the scopes ``decide``, ``events:write`` and ``simulate``: all that is asked is marked as simulated.
    """

    def __init__(self, settings: Settings, clock: StoryClock, *, token: str) -> None:
        self._listener = bind(settings.host, 0)
        host, port = self._listener.getsockname()[:2]
        given = engine_config(settings, 0)
        self._config = type(given)(
            home=given.home,
            replica=REPLICA,
            url=f"http://{host}:{port}",
            database_url=given.database_url,
            environment=given.environment,
            plugin_s=given.plugin_s,
            identify_s=PATIENCE_S,
            window_s=NEVER_S,
            keep_s=KEPT_S,
            poll_s=POLL_S,
            lease_s=HELD_S,
            report_s=HELD_S,
            timed=False,
        )
        self._clock = clock
        self._headers = [(b"authorization", b"Bearer " + token.encode()), (b"content-type", b"application/json")]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.replica = Replica(self._config, now=clock.now, uptime_us=clock.now)
        self._app = build_app(self.replica)
        self._thread = threading.Thread(target=self._serve, name=REPLICA, daemon=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(serve(self.replica, self._listener, self._stop))
        self._loop.close()

    def __enter__(self) -> "StoryEngine":
        """Begin to serve; returns when it is ready."""
        self._collected = gc.get_threshold()
        self._thread.start()
        self._wait(self.replica.ready, "did not get ready")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop in order: everything acknowledged is on the disk."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        gc.unfreeze()  # a replica leaves what it holds to no collector: this process goes on without it
        gc.set_threshold(*self._collected)

    def _wait(self, holds: Callable[[], bool], else_said: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise Unavailable(f"the engine of the story {else_said}; start again, or pass --no-story")
            time.sleep(LOOK_S)

    def caught_up(self, *, revision: int, consent_epoch: int) -> None:
        """Wait until it decides with what control last wrote."""
        follower = self.replica.follower
        self._wait(
            lambda: follower.revision >= revision and follower.consent.epoch >= consent_epoch, "did not catch up"
        )

    def report(self, seen: Callable[[], bool]) -> None:
        """Have it write a receipt of now, and wait until that is ``seen``."""
        self._loop.call_soon_threadsafe(self.replica.follower.moved.set)
        self._wait(seen, "sent no receipt")

    def close_window(self) -> None:
        """Close the running window of its metrics at the story's now."""
        self.run(self._close_window)

    async def _close_window(self) -> None:
        self.replica.windows.close(self._clock.now(), self._clock.now())

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do work where the engine runs, and wait for it."""

        async def done() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    async def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post to a route of the engine, in place.

        Raises
        ------
        Unavailable
            With the answer, if that is no success.
        """
        sent: list[Any] = []
        given = orjson.dumps(body)
        scope = {"type": "http", "method": "POST", "path": path, "headers": self._headers, "query_string": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": given, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        answer: dict[str, Any] = orjson.loads(sent[1]["body"])
        if sent[0]["status"] >= 300:
            raise Unavailable(f"the engine of the story answered {path}: {answer.get('detail', sent[0]['status'])}")
        return answer
