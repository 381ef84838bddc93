"""The Open Bandit import: 60,000 real impressions with propensities, out of the wheel they are published in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.database import Database
from storage.lake import Lake

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What came in and what did not. ``already`` says that an earlier import had it all."""

    rows: int
    impressions: int
    clicks: int
    items: int
    refused: int
    reasons: Mapping[str, int]
    notes: tuple[str, ...]
    start: int
    end: int
    already: bool = False


def fetch_wheel(downloads: Path) -> Path:
    """Return the wheel that holds the data, downloading it by its package name when it is not in ``downloads``.

    Raises
    ------
    Unavailable
        When it cannot be had; the message names what to do instead.
    """
    raise NotImplementedError


def import_open_bandit(
    database: Database, lake: Lake, *, wheel: Path, now: int, progress: Progress | None = None
) -> ImportReport:
    """Import every row of both logged policies and the three campaigns; a second run changes nothing."""
    raise NotImplementedError
