"""One engine process: bind, serve, stop without losing anything."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn
import uvloop
from starlette.types import ASGIApp

from scoring_core.edges.config import EngineConfig
from scoring_core.edges.deadlines import with_deadlines
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.app import EngineApp
from storage.errors import FairleadError, Unavailable

__all__ = ["EngineConfig", "Replica", "build_app", "run", "serve"]

BACKLOG = 2_048
KEEP_ALIVE_S = 75
SWITCH_S = 0.0005
"""How long the log's thread may keep the interpreter while a request waits; Python's own 5 ms would show in p99."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger("fairlead.engine")


def build_app(replica: Replica) -> ASGIApp:
    """Return the ASGI application of a replica; its life is the caller's."""
    return EngineApp(replica)


class _Server(uvicorn.Server):
    """uvicorn without its own signals: it would end the process before the log is flushed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    Unavailable
        If the port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"the engine cannot listen on {host}:{port} ({error.strerror}); "
            "end what uses this port, or choose another with FAIRLEAD_ENGINE_PORT"
        ) from None
    listener.setblocking(False)
    return listener


async def serve(
    replica: Replica, listener: socket.socket, stop: asyncio.Event, *, on_started: Callable[[], None] = lambda: None
) -> None:
    """Serve until ``stop`` is set; when this returns everything acknowledged is on the disk."""
    config, telemetry = replica.config, replica.telemetry
    protocol = with_deadlines(
        header_s=config.header_s,
        body_s=config.body_s,
        on_rejected=lambda reason: telemetry.rejections.child(reason).add(),
    )
    server = _Server(
        uvicorn.Config(
            build_app(replica),
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, int(config.grace_s)),
            backlog=BACKLOG,
        )
    )
    await replica.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    on_started()
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    replica.stopping = True
    server.should_exit = True
    await asyncio.gather(serving, return_exceptions=True)
    stopping.cancel()
    await replica.stop()


def run(config: EngineConfig) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0 stopped, 6 could not start."""
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        listener = bind(config.host, config.port)
    except FairleadError as error:
        _log.error("%s", error)
        return error.exit_code
    try:
        replica = Replica(config)
    except (FairleadError, OSError) as error:
        listener.close()
        _log.error("the engine cannot start: %s", error)
        return error.exit_code if isinstance(error, FairleadError) else 6
    sys.setswitchinterval(SWITCH_S)
    _log.info("engine %s listens on %s", config.replica, config.own_url)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signalled(replica, listener))
    _log.info("engine %s stopped", config.replica)
    return 0


async def _until_signalled(replica: Replica, listener: socket.socket) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, stop.set)
    await serve(replica, listener, stop)
