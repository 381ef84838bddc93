"""Did heavy work end well: the last job of each kind, and whether the queue moves."""

from governance.checks.check import Check, Finding, Ground, unknown
from storage import jobs
from storage.records.clock import HOUR

READ = 500


def look(ground: Ground) -> Finding:
    """Read the queue."""
    found = jobs.jobs(ground.read, limit=READ)
    if not found:
        return unknown("No job has been asked for.")
    last = {job.name: job for job in sorted(found, key=lambda job: job.created_at) if job.state in {"done", "failed"}}
    failed = sorted(name for name, job in last.items() if job.state == "failed")
    waiting = [job.name for job in found if job.state == "queued" and ground.now - job.created_at > HOUR]
    figures = {"failed": failed, "waiting": waiting, "kinds": len(last)}
    faults = [
        text
        for wrong, text in (
            (failed, f"the last {', '.join(failed)} failed"),
            (waiting, f"{len(waiting)} wait for over an hour"),
        )
        if wrong
    ]
    if faults:
        return Finding(
            verdict="warn", sentence=f"Jobs: {'; '.join(faults)}; the System page says why.", figures=figures
        )
    if not last:
        return unknown("No job has ended yet.")
    kinds = "one kind" if len(last) == 1 else f"each of {len(last)} kinds"
    return Finding(verdict="pass", sentence=f"The last job of {kinds} ended well.", figures=figures)


CHECK = Check(name="jobs", title="Jobs", question="Does heavy work end well?", look=look)
