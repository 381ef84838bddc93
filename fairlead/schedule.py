"""The one schedule: tasks by the clock, run by the instance that leads, each run leaving a heartbeat."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from storage import heartbeats, leases
from storage.database import Database
from storage.errors import FairleadError
from storage.records import clock
from storage.records.tasks import SCHEDULE_LEASE

log = structlog.get_logger(__name__)


class Periodic(Protocol):
    """What the schedule runs: see ``storage.records.tasks.Task``."""

    @property
    def name(self) -> str:
        """The task's name, also of its heartbeat."""

    @property
    def every_s(self) -> float:
        """Its period in seconds."""

    @property
    def run(self) -> Callable[[int], None]:
        """Its work, given the leader's fencing token."""


class Schedule:
    """Runs tasks while this instance holds the lease.

    A run that was missed or is still busy is not made up for but noted in the heartbeat (APScheduler's own limits:
    one second of grace, would lose runs of a loaded machine silently).

    Parameters
    ----------
    database
        Where lease and heartbeats live.
    tasks
        What to run; names are unique.
    holder
        The name of this run of this process.
    ttl_s
        How long the lease lasts without renewal; it is renewed three times as often.
    """

    def __init__(
        self,
        database: Database,
        tasks: Sequence[Periodic],
        *,
        holder: str,
        ttl_s: float = 15.0,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._holder = holder
        self._ttl_us = int(ttl_s * clock.SECOND)
        self._now = now
        self._tasks = {task.name: task for task in tasks}
        self.token: int | None = None
        """The fencing token while this instance leads."""
        self._expires = 0
        self._renewing = threading.Lock()
        self._stopped = False
        self._running = 0
        self._idle = threading.Condition()
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(4, len(self._tasks))), "lease": ThreadPoolExecutor(1)},
            timezone="UTC",
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._add("lease", ttl_s / 3, self.lead, delay_s=0.0, executor="lease")
        for place, task in enumerate(tasks):
            self._add(task.name, task.every_s, self._runner(task), delay_s=0.5 + 0.05 * place, executor="default")

    def _add(self, name: str, every_s: float, work: Callable[[], None], *, delay_s: float, executor: str) -> None:
        self._scheduler.add_job(
            work,
            IntervalTrigger(seconds=every_s),
            id=name,
            executor=executor,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=max(1, int(every_s)),
            next_run_time=clock.moment(clock.now()) + timedelta(seconds=delay_s),
        )

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def stop(self, *, within_s: float = 5.0) -> bool:
        """Begin nothing more, let running tasks end, give the lease back; tell whether all ended in time.

        A task that is cut off loses nothing: what it writes is one transaction, and is done again next time.
        """
        self._scheduler.shutdown(wait=False)
        with self._idle:
            ended = self._idle.wait_for(lambda: self._running == 0, within_s)
        with self._renewing:
            self._stopped = True
            token, self.token = self.token, None
        if token is not None:
            try:
                with self._database.write() as write:
                    leases.release(write, SCHEDULE_LEASE, token)
            except FairleadError as error:
                log.warning("the lease could not be given back; it ends by itself", reason=str(error))
        return ended

    def lead(self) -> None:
        """Take or renew the lease; without it, or without the database, this instance runs nothing.

        After ``stop`` it does nothing: a renewal under way would otherwise take the lease that was just given back.
        """
        with self._renewing:
            if not self._stopped:
                self._renew(self._now())

    def _renew(self, at: int) -> None:
        try:
            with self._database.write() as write:
                token = leases.acquire(write, SCHEDULE_LEASE, self._holder, now=at, ttl_us=self._ttl_us)
        except FairleadError as error:
            log.warning("the lease of the schedule could not be renewed", reason=str(error))
            token = self.token if self._now() < self._expires else None
        else:
            self._expires = at + self._ttl_us
        if token != self.token:
            log.info("this instance leads the schedule" if token else "another instance leads the schedule")
        self.token = token

    def run(self, name: str) -> bool:
        """Run one task now, if this instance leads; tell whether it ran well."""
        task, token = self._tasks[name], self.token
        if token is None or self._now() >= self._expires:
            return False
        problem = ""
        try:
            task.run(token)
        except FairleadError as error:
            problem = str(error)
            log.warning("a task could not do its work", task=name, reason=problem)
        except Exception as error:  # a bug in one task must not stop the clock; the heartbeat shows it
            problem = f"{type(error).__name__}: a bug; see the log of control"
            log.exception("a task failed", task=name)
        self._beat(task, problem)
        return not problem

    def _runner(self, task: Periodic) -> Callable[[], None]:
        def run() -> None:
            with self._idle:
                self._running += 1
            try:
                self.run(task.name)
            finally:
                with self._idle:
                    self._running -= 1
                    self._idle.notify_all()

        return run

    def _beat(self, task: Periodic, problem: str) -> None:
        try:
            with self._database.write() as write:
                heartbeats.beat(write, task.name, every_s=task.every_s, at=self._now(), error=problem[:500])
        except FairleadError as error:
            log.warning("a heartbeat could not be written", task=task.name, reason=str(error))

    def _skipped(self, event: JobEvent | Any) -> None:
        task = self._tasks.get(event.job_id)
        if task is not None and self.token is not None:
            log.warning("a run was skipped: the one before was still busy or the machine too slow", task=task.name)
            self._beat(task, "a run was skipped: the one before was still busy, or the machine too slow")
