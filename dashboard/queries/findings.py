"""Audits and jobs as pages read them."""

from storage import findings, jobs
from storage.database import Read
from storage.records.findings import Audit, Job


def audits(read: Read, *, kind: str, limit: int = 30) -> tuple[Audit, ...]:
    """Return audit runs of a kind, newest first."""
    return tuple(findings.audits(read, kind=kind, limit=limit))


def recent_jobs(read: Read, *, name: str | None = None, limit: int = 20) -> tuple[Job, ...]:
    """Return the latest jobs, of one name or of all."""
    return tuple(jobs.jobs(read, name=name, limit=limit))


def job(read: Read, *, job_id: str) -> Job | None:
    """Return one job as it stands."""
    return jobs.job(read, job_id)
