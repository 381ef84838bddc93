"""Jobs: asked for, claimed once, ended once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage import jobs
from storage.database import Database
from storage.errors import Conflict, NotFound
from storage.records.findings import Job


def ask(database: Database, name: str = "drift", now: int = 1) -> Job:
    with database.write() as write:
        return jobs.enqueue(write, name=name, arguments={"days": 7, "campaign": None}, requested_by="ada", now=now)


def claim(database: Database, now: int = 5) -> Job | None:
    with database.write() as write:
        return jobs.claim(write, now=now)


def test_the_life_of_a_job(database: Database) -> None:
    assert claim(database) is None
    first, second = ask(database, now=1), ask(database, "fairness", now=2)
    assert first == Job(
        job_id=first.job_id,
        name="drift",
        arguments={"days": 7, "campaign": None},
        state="queued",
        requested_by="ada",
        created_at=1,
    )
    assert claim(database) == replace(first, state="running", started_at=5)
    assert claim(database) == replace(second, state="running", started_at=5)
    assert claim(database) is None
    with database.write() as write:
        done = jobs.finish(write, first.job_id, now=8, result={"audit_id": "a-1"})
        failed = jobs.fail(write, second.job_id, now=9, error="out of memory")
    with database.read() as read:
        assert jobs.job(read, first.job_id) == done
        assert (done.state, done.result, done.finished_at) == ("done", {"audit_id": "a-1"}, 8)
        assert jobs.job(read, second.job_id) == failed
        assert (failed.state, failed.error, failed.result) == ("failed", "out of memory", None)
        assert jobs.jobs(read) == [failed, done]
        assert jobs.jobs(read, limit=1) == [failed]
        assert jobs.jobs(read, state="done") == [done]
        assert jobs.jobs(read, name="fairness") == [failed]
        assert jobs.jobs(read, name="fairness", state="done") == []
        assert jobs.job(read, "nothing") is None


def test_a_job_ends_once_and_only_when_it_ran(database: Database) -> None:
    asked = ask(database)
    with pytest.raises(Conflict, match="queued"), database.write() as write:
        jobs.finish(write, asked.job_id, now=2, result={})
    claim(database)
    with database.write() as write:
        jobs.fail(write, asked.job_id, now=3, error="stopped")
    with pytest.raises(Conflict, match="failed"), database.write() as write:
        jobs.finish(write, asked.job_id, now=4, result={})
    with pytest.raises(NotFound), database.write() as write:
        jobs.fail(write, "nothing", now=4, error="x")


def test_no_two_runners_get_the_same_job(database: Database) -> None:
    asked = {ask(database, now=n).job_id for n in range(20)}

    def runner(_: int) -> list[str]:
        mine: list[str] = []
        while job := claim(database):
            mine.append(job.job_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [job_id for mine in pool.map(runner, range(4)) for job_id in mine]
    assert sorted(claimed) == sorted(asked)
