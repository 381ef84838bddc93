"""What is done about people's requests by the clock: erasures go on, retention runs once an hour."""

from collections.abc import Callable

from governance.erasure import ERASURE, EXPORT, EXPORTED
from governance.warrants import Warrant, system
from storage import erasure, jobs, subject_requests
from storage.database import Database, Read
from storage.records import clock
from storage.records.findings import Job, JobState
from storage.records.tasks import Task

RETENTION = "retention"
RESTATED_US = 10 * clock.MINUTE
"""After so long every replica took over what was corrected: it reads statements itself when it starts."""
_SCHEDULE = system("schedule")
_UNDER_WAY: tuple[JobState, ...] = ("queued", "running")


def subject_tasks(
    database: Database,
    request_job: Callable[[str, dict[str, str], Warrant], object],
    fence: Callable[[int], Callable[[Read], None]],
    *,
    now: Callable[[], int] = clock.now,
) -> tuple[Task, ...]:
    """Return the tasks; ``request_job`` queues a job, ``fence`` guards against a former leader."""

    def carry_out(token: int) -> None:
        with database.read() as read:
            fence(token)(read)
            waiting = subject_requests.listed(read, states=("running",))
            busy = {job.arguments.get("request_id") for name in (ERASURE, EXPORT) for job in _under_way(read, name)}
        for request in waiting:
            if request.request_id not in busy:
                job = EXPORT if request.kind in EXPORTED else ERASURE
                warrant = Warrant(by=_SCHEDULE, reason=f"the {request.kind} of a person goes on")
                request_job(job, {"request_id": request.request_id}, warrant)
        with database.write() as write:
            fence(token)(write)
            erasure.close_restated(write, before=now() - RESTATED_US)

    def retain(token: int) -> None:
        with database.read() as read:
            fence(token)(read)
            busy = _under_way(read, RETENTION)
        if not busy:
            request_job(RETENTION, {}, Warrant(by=_SCHEDULE, reason="retention is looked after once an hour"))

    return (
        Task(name="subjects.carry_out", every_s=30.0, run=carry_out),
        Task(name="retention", every_s=3_600.0, run=retain),
    )


def _under_way(read: Read, name: str) -> list[Job]:
    return [job for state in _UNDER_WAY for job in jobs.jobs(read, name=name, state=state)]
