"""Jobs: heavy work that was asked for, who does it, and what came of it."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
import uuid_utils
from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.errors import Conflict, NotFound
from storage.records.document import canonical
from storage.records.findings import Job, JobState
from storage.tables.control import JobRow


def enqueue(write: Write, *, name: str, arguments: Mapping[str, Any], requested_by: str, now: int) -> Job:
    """Ask for a job."""
    row = JobRow(
        job_id=str(uuid_utils.uuid7()),
        name=name,
        arguments=canonical(dict(arguments)).decode(),
        state="queued",
        requested_by=requested_by,
        created_at=now,
    )
    write.add(row)
    write.flush()
    return _job(row)


def claim(write: Write, *, now: int, job_id: str | None = None) -> Job | None:
    """Take the job that waits longest, or the named one, and mark it as running; None if there is none that waits.

    No two claims get the same job.
    """
    waiting = select(JobRow).where(JobRow.state == "queued")
    if job_id is not None:
        waiting = waiting.where(JobRow.job_id == job_id)
    row = write.first(
        waiting.order_by(col(JobRow.created_at), col(JobRow.job_id)).limit(1).with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.state, row.started_at = "running", now
    write.add(row)
    return _job(row)


def finish(write: Write, job_id: str, *, now: int, result: Mapping[str, Any]) -> Job:
    """Mark a running job as done.

    Raises
    ------
    NotFound, Conflict
        If there is no such job, or it does not run.
    """
    row = _running(write, job_id)
    row.state, row.finished_at, row.result = "done", now, canonical(dict(result)).decode()
    write.add(row)
    return _job(row)


def fail(write: Write, job_id: str, *, now: int, error: str) -> Job:
    """Mark a running job as failed, with the reason in plain words.

    Raises
    ------
    NotFound, Conflict
        If there is no such job, or it does not run.
    """
    row = _running(write, job_id)
    row.state, row.finished_at, row.error = "failed", now, error
    write.add(row)
    return _job(row)


def job(read: Read, job_id: str) -> Job | None:
    """Return one job or None."""
    row = read.get(JobRow, job_id)
    return None if row is None else _job(row)


def jobs(read: Read, *, state: JobState | None = None, name: str | None = None, limit: int = 100) -> list[Job]:
    """Return jobs, newest first."""
    statement = select(JobRow).order_by(col(JobRow.created_at).desc(), col(JobRow.job_id).desc()).limit(limit)
    if state is not None:
        statement = statement.where(JobRow.state == state)
    if name is not None:
        statement = statement.where(JobRow.name == name)
    return [_job(row) for row in read.all(statement)]


def count(read: Read, *, state: JobState) -> int:
    """Return how many jobs are in a state."""
    return int(read.first(select(func.count()).select_from(JobRow).where(JobRow.state == state)) or 0)


def oldest_queued(read: Read) -> int | None:
    """Return when the job that waits longest was asked for, None where none waits."""
    found: int | None = read.first(select(func.min(JobRow.created_at)).where(JobRow.state == "queued"))
    return found


def _running(write: Write, job_id: str) -> JobRow:
    row: JobRow | None = write.first(select(JobRow).where(JobRow.job_id == job_id).with_for_update())
    if row is None:
        raise NotFound("no such job")
    if row.state != "running":
        raise Conflict(f"the job is {row.state}, not running")
    return row


def _job(row: JobRow) -> Job:
    return Job(
        job_id=row.job_id,
        name=row.name,
        arguments=orjson.loads(row.arguments),
        state=cast("JobState", row.state),
        requested_by=row.requested_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        result=None if row.result is None else orjson.loads(row.result),
        error=row.error,
    )
