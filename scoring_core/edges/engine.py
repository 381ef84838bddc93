"""One engine process: start, serve, stop without losing anything."""

from starlette.types import ASGIApp

from scoring_core.edges.config import EngineConfig

__all__ = ["Engine", "EngineConfig", "build_app", "run"]


class Engine:
    """Everything that one replica holds; ``start`` and ``stop`` are its life."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config

    async def start(self) -> None:
        """Open the log and the stores, and begin to follow the database."""

    async def stop(self) -> None:
        """Write everything that waits: the log, the last window, opt-outs; then close."""


def build_app(engine: Engine) -> ASGIApp:
    """Return the ASGI application of an engine."""
    raise NotImplementedError(engine)


def run(config: EngineConfig) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0 stopped, 1 could not start."""
    raise NotImplementedError(config)
