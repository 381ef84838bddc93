"""What the collectors do by the clock, for the one schedule of the house."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from collectors.catalogue import Syncing, sync_task
from collectors.client import Client
from collectors.journal import poll_journal
from collectors.poll import poll_metrics
from collectors.rollup import keep_house, roll_up_all
from collectors.targets import Target, targets
from storage.compaction import compact
from storage.database import Database
from storage.errors import FairleadError, Unavailable
from storage.lake import Lake
from storage.records.tasks import Task

__all__ = ["CollectorContext", "Task", "tasks"]

METRICS_S, JOURNAL_S, ROLL_UP_S, COMPACT_S, KEEP_S = 10.0, 5.0, 60.0, 60.0, 3_600.0
_PAGES = 25
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorContext:
    """What the tasks need: where things are, and the token that engines accept (metrics and journal scopes)."""

    database: Database
    lake: Lake
    home: Path
    token: str
    now: Callable[[], int]


def tasks(context: CollectorContext) -> tuple[Task, ...]:
    """Return poll-metrics, poll-journal, roll-up, compact, keep and sync-catalogue, ready to be scheduled."""
    client = Client(context.token)
    pages = Client(context.token, total_s=15.0, most_bytes=32 << 20)

    def metrics(fence: int) -> None:
        _each(context, lambda target: _metrics(context, target, client, fence))

    def journal(fence: int) -> None:
        _each(context, lambda target: _journal(context, target, pages, fence))

    def rolled(_fence: int) -> None:
        roll_up_all(context.database, now=context.now())

    def compacted(_fence: int) -> None:
        compact(context.lake, context.database, now=context.now())

    def kept(_fence: int) -> None:
        keep_house(context.database, context.lake, now=context.now())

    return (
        Task(name="poll-metrics", every_s=METRICS_S, run=metrics),
        Task(name="poll-journal", every_s=JOURNAL_S, run=journal),
        Task(name="roll-up", every_s=ROLL_UP_S, run=rolled),
        Task(name="compact", every_s=COMPACT_S, run=compacted),
        Task(name="keep", every_s=KEEP_S, run=kept),
        sync_task(Syncing(database=context.database, home=context.home, now=context.now)),
    )


def _metrics(context: CollectorContext, target: Target, client: Client, fence: int) -> str:
    scrape = poll_metrics(context.database, target, client, now=context.now, fence=fence)
    return "" if scrape.result == "ok" else f"{target.replica}: {scrape.result}, {scrape.detail}"


def _journal(context: CollectorContext, target: Target, client: Client, fence: int) -> str:
    for _ in range(_PAGES):
        poll = poll_journal(context.database, context.lake, target, client, now=context.now, fence=fence)
        if poll.scrape.result != "ok":
            return f"{target.replica}: {poll.scrape.result}, {poll.scrape.detail}"
        if not poll.more:
            break
    return ""


def _each(context: CollectorContext, work: Callable[[Target], str]) -> None:
    """Do the work for every replica at once, so that a slow one holds up nobody; then say what failed.

    Raises
    ------
    Unavailable
        When a replica did not answer as it should, after all others were done.
    """
    with context.database.read() as read:
        found = targets(read, now=context.now())
    if not found:
        return

    def guarded(target: Target) -> str:
        try:
            return work(target)
        except FairleadError as error:
            return f"{target.replica}: {error}"

    with ThreadPoolExecutor(min(_AT_ONCE, len(found)), thread_name_prefix="collector") as pool:
        failed = [problem for problem in pool.map(guarded, found) if problem]
    if failed:
        raise Unavailable("; ".join(failed))
