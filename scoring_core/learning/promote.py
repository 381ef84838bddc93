"""Whether a trained model goes into service."""

from dataclasses import dataclass
from pathlib import Path

from storage.database import Database
from storage.lake import Lake
from storage.records.models import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Whether the model went into service, and why, in plain words."""

    promoted: bool
    reason: str


def promote(database: Database, lake: Lake, home: Path, *, model: ModelVersion) -> Promotion:
    """Put a registered model into service: the first always, a later one only if not worse on held-out time."""
    raise NotImplementedError
