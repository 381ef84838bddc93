"""What governance does by the clock."""

from dataclasses import dataclass
from pathlib import Path

from governance.control import Control
from storage.database import Database
from storage.keys import Keys
from storage.records.tasks import SCHEDULE_LEASE, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What the tasks work with; ``lease`` names the lease whose fencing token they are given."""

    control: Control
    database: Database
    keys: Keys
    home: Path
    lease: str = SCHEDULE_LEASE


def tasks(context: TaskContext) -> tuple[Task, ...]:
    """Return governance's tasks: anchor and best variants every 60 s, expiry of changes, retention of revisions."""
