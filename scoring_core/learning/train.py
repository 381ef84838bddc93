"""Training of the ranker from the lake."""

from collections.abc import Sequence
from pathlib import Path

from storage.database import Database
from storage.lake import Lake
from storage.records.models import ModelVersion


def train(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "ranker",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    members: int = 10,
    trees: int = 20,
) -> ModelVersion:
    """Train, check bit parity, evaluate, calibrate, write ``models/<name>/<version>/`` and register (not promote)."""
    raise NotImplementedError
