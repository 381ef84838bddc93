"""What the schedule runs: a name, a period, and a callable that is fenced by the leader's lease."""

from collections.abc import Callable
from dataclasses import dataclass

SCHEDULE_LEASE = "schedule"
"""The lease that the leader of the schedule holds; tasks that write check it with their fencing token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One periodic piece of work. ``run`` gets the leader's fencing token; what it writes is void once another
    instance leads."""

    name: str
    every_s: float
    run: Callable[[int], None]
