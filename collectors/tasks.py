"""What the collectors do by the clock, for the one schedule of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.database import Database
from storage.lake import Lake


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorContext:
    """What the tasks need: where things are, and the token that engines accept (metrics and journal scopes)."""

    database: Database
    lake: Lake
    home: Path
    token: str
    now: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A named piece of work, every so many seconds; ``run`` takes the fencing token of the leader."""

    name: str
    every_s: float
    run: Callable[[int], None]


def tasks(context: CollectorContext) -> tuple[Task, ...]:
    """Return poll-metrics, poll-journal, roll-up, compact and retain, ready to be scheduled."""
    raise NotImplementedError
