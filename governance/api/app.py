"""The control API as one FastAPI application."""

from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from governance.control import Control
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake

JOBS = frozenset({"train", "fairness", "drift", "compaction", "retention"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlContext:
    """What the control API works with. ``engine_token`` is what it shows to engines; ``client`` reaches them (None:
    its own); ``engines`` are base URLs to ask when no replica has reported one."""

    control: Control
    database: Database
    keys: Keys
    home: Path
    environment: str
    solo: bool
    lake: Lake
    engine_token: str = field(repr=False, default="")
    client: httpx.Client | None = None
    jobs: frozenset[str] = JOBS
    version: str = "0.1.0"


def create_app(context: ControlContext) -> FastAPI:
    """Return the ASGI application."""
