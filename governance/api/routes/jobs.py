"""Jobs: heavy work is asked for here and done by child processes elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from governance.actions import found
from governance.api.answers import reply, warrant
from governance.api.bodies import NewJob
from governance.api.context import ControlContext
from governance.api.gate import Routes
from storage import jobs
from storage.errors import Invalid, Problem
from storage.records.access import Scope
from storage.records.findings import Job, JobState


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/jobs", Scope.READ)
    def listed(
        name: str | None = None,
        state: JobState | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """List jobs, the latest first."""
        with context.database.read() as read:
            return reply({"jobs": jobs.jobs(read, name=name, state=state, limit=limit)})

    @on.on("POST", "/jobs", Scope.JOB_RUN, status=202, answer=Job)
    def request_job(request: Request, body: NewJob) -> Response:
        """Queue a job."""
        if body.name not in context.jobs:
            message = "must be one of " + ", ".join(sorted(context.jobs))
            raise Invalid(f"name: {message}", problems=(Problem(field="name", message=message),))
        job = context.control.request_job(body.name, body.arguments, warrant(request, body.reason))
        return reply(job, status=202)

    @on.on("GET", "/jobs/{job_id}", Scope.READ, answer=Job)
    def show(job_id: str) -> Response:
        """Show one job."""
        with context.database.read() as read:
            return reply(found(jobs.job(read, job_id), "job"))

    return on.router
