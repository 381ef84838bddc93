"""Event logs, opened again and again in a folder, and what is written to them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.protocol import Draft, EventLog

Open = Callable[..., EventLog]


def embedded(folder: Path) -> Open:
    def reopen(**options: Any) -> EventLog:
        return EmbeddedLog(folder / "log.db", **({"log_id": uuid4().hex} | options))

    return reopen


MEMBERS = {"embedded": embedded}


def draft(key: str | None = None, *, at: int = 0, payload: bytes = b"x") -> Draft:
    return Draft(kind="event", at=at, payload=payload, key=key)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]  # a coroutine is what an async function gives
