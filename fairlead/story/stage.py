"""Where a story plays: the installation's own stores, control, schedule and jobs, all on the story's clock."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fairlead.jobs import carry_out
from fairlead.processes import scheduled
from fairlead.schedule import Schedule
from fairlead.settings import Settings
from fairlead.story.clock import StoryClock
from fairlead.wiring import Store, control_of
from governance.actions import APPROVALS
from governance.kinds import action_of
from governance.warrants import Warrant
from storage import counters, jobs, leases, receipts
from storage.errors import FairleadError
from storage.records.access import ROLES, Principal
from storage.records.document import parse
from storage.records.tasks import SCHEDULE_LEASE

if TYPE_CHECKING:
    from fairlead.story.engine import StoryEngine

LEASE_S = 86_400.0
"""How long the story leads the schedule without saying so again, by its own clock."""


def person(name: str, role: str) -> Principal:
    """Return somebody who acts in the demo's past; the ledger shows that it was the demo."""
    return Principal(name=f"{name} (demo)", role=role, scopes=ROLES[role], token_id="story")  # noqa: S106  # an id, no secret


MIO = person("mio", "marketer")
DANA = person("dana", "data_scientist")
OMAR = person("omar", "ops")


class Stage:
    """The parts of the product as a story uses them.

    Parameters
    ----------
    settings
        Those of the installation.
    store
        Its stores; from here on they go by the story's clock.
    clock
        That clock.
    every_s
        How often each task of the schedule runs in the story, in seconds by its clock; others do not run.
    """

    def __init__(self, settings: Settings, store: Store, clock: StoryClock, *, every_s: Mapping[str, float]) -> None:
        self.settings, self.clock, self._every_s = settings, clock, every_s
        self.store = replace(store, now=clock.now)
        self.control = control_of(settings, self.store)
        self._schedule: Schedule | None = None

    def lead(self) -> Schedule:
        """Return the schedule, led by this story; its tasks run only when they are called."""
        if self._schedule is None:
            tasks = scheduled(self.settings, self.store, self.control)
            self._schedule = Schedule(
                self.store.database,
                [replace(task, every_s=self._every_s[task.name]) for task in tasks if task.name in self._every_s],
                holder="story",
                ttl_s=LEASE_S,
                now=self.clock.now,
            )
        self._schedule.lead()
        return self._schedule

    def run(self, names: Iterable[str]) -> None:
        """Run tasks of the schedule, then every job that they asked for."""
        schedule = self.lead()
        for name in names:
            schedule.run(name)
        self.work()

    def work(self) -> None:
        """Do every job that waits."""
        while True:
            with self.store.database.write() as write:
                job = jobs.claim(write, now=self.clock.now())
            if job is None:
                return
            carry_out(self.settings, self.store, job)

    def job(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for a job, do it, and return its result.

        Raises
        ------
        FairleadError
            With the reason, when it failed.
        """
        with self.store.database.write() as write:
            asked = jobs.enqueue(write, name=name, arguments=arguments, requested_by="story", now=self.clock.now())
            claimed = jobs.claim(write, now=self.clock.now(), job_id=asked.job_id)
        done = carry_out(self.settings, self.store, claimed or asked)
        if done.state != "done":
            raise FairleadError(f"job {done.job_id} ({name}) failed: {done.error}")
        return done.result or {}

    def act(self, kind: str, key: str, payload: Mapping[str, Any], *, by: Principal, reason: str) -> None:
        """Have somebody do something: at once, or agreed to by another where it takes two."""
        action = action_of(kind)
        with self.store.database.read() as read:
            level = action.level(read, key, parse(action.payload, payload))
            tag = action.etag(read, key)
        warrant = Warrant(by=by, reason=reason, confirm=key, etag=tag or None)
        if not APPROVALS[level]:
            self.control.do(kind, key, payload, warrant)
            return
        change = self.control.propose(kind, key, payload, warrant)
        self.control.submit(change.change_id, warrant)
        self.work()  # a dry run of what is broad
        other = OMAR if by != OMAR else DANA
        self.control.approve(change.change_id, Warrant(by=other, reason=f"agreed: {reason}"))
        self.control.apply(change.change_id, Warrant(by=OMAR, reason=reason, confirm=key))

    def caught_up(self, engine: "StoryEngine") -> None:
        """Wait until the engine decides with what control last wrote."""
        with self.store.database.read() as read:
            numbers = counters.numbers(read)
        engine.caught_up(revision=numbers.get("revision", 0), consent_epoch=numbers.get("consent_epoch", 0))

    def registered(self) -> bool:
        """Tell whether the engine's receipt is of now."""
        with self.store.database.read() as read:
            return any(found.at >= self.clock.now() for found in receipts.receipts(read))

    def leave(self) -> None:
        """Give the schedule back, so that control can lead it."""
        token = self._schedule.token if self._schedule is not None else None
        if token is not None:
            with self.store.database.write() as write:
                leases.release(write, SCHEDULE_LEASE, token)
