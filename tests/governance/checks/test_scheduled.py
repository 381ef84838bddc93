"""Checks of scheduled and of queued work."""

from governance.patrol import Beat
from storage import heartbeats, jobs
from storage.records.clock import HOUR

from .conftest import NOW
from .saying import says


def test_schedule(beat: Beat) -> None:
    with beat.database.write() as write:
        heartbeats.beat(write, "anchor", every_s=60.0, at=NOW)
    assert says(beat, "schedule").verdict == "pass"
    assert says(beat, "schedule", NOW + HOUR).verdict == "fail"
    with beat.database.write() as write:
        heartbeats.beat(write, "anchor", every_s=60.0, at=NOW, error="no room")
    assert says(beat, "schedule").verdict == "warn"


def test_jobs(beat: Beat) -> None:
    with beat.database.write() as write:
        job = jobs.enqueue(write, name="train", arguments={}, requested_by="a", now=NOW)
        jobs.claim(write, now=NOW, job_id=job.job_id)
        jobs.finish(write, job.job_id, now=NOW, result={})
    assert says(beat, "jobs").verdict == "pass"
    with beat.database.write() as write:
        job = jobs.enqueue(write, name="train", arguments={}, requested_by="a", now=NOW + 1)
        jobs.claim(write, now=NOW, job_id=job.job_id)
        jobs.fail(write, job.job_id, now=NOW, error="no data")
    assert says(beat, "jobs").verdict == "warn"
