"""Jobs: recorded, done by a child with limits, and never left standing as running."""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from fairlead import jobs as work
from fairlead.commands.models import LEARNERS
from fairlead.settings import Settings
from fairlead.wiring import open_existing
from scoring_core.learning.retrain import TRAININGS
from storage import jobs
from storage.database import Database
from storage.duck import OutOfMemory
from storage.errors import Conflict, FairleadError
from storage.records import clock
from storage.records.findings import Job


@pytest.fixture
def settings(home: Path, sqlite_database: Database) -> Settings:
    assert sqlite_database.url.database == str(home / "fairlead.db")
    return Settings(home=home, job_seconds=30)


def claimed(database: Database, name: str = "compaction") -> Job:
    with database.write() as write:
        jobs.enqueue(write, name=name, arguments={}, requested_by="test", now=clock.now())
        job = jobs.claim(write, now=clock.now())
    assert job is not None
    return job


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(work, "_command", lambda _job: [sys.executable, "-c", code])


def test_a_job_runs_in_a_child_and_is_recorded(settings: Settings, sqlite_database: Database) -> None:
    found = work.run_now(settings, "compaction", {})
    assert found["files"] == 0
    with sqlite_database.read() as read:
        job = jobs.job(read, found["job_id"])
    assert job is not None
    assert (job.state, job.result) == ("done", {"files": 0})


def test_a_wrong_argument_fails_the_job_and_names_it(settings: Settings) -> None:
    with pytest.raises(FairleadError, match="training of ranker takes"):
        work.run_now(settings, "train", {"sedd": 1})


def test_what_cannot_be_trained_is_refused_with_what_can(settings: Settings) -> None:
    with pytest.raises(FairleadError, match="model: must be one of bandit, churn"):
        work.run_now(settings, "train", {"model": "horoscope"})
    with pytest.raises(FairleadError, match="training of factors takes name, origins, seed"):
        work.run_now(settings, "train", {"model": "factors", "trees": 9})
    with pytest.raises(FairleadError, match="too little to learn from"):
        work.run_now(settings, "train", {"model": "factors"})


def test_the_command_names_what_can_be_trained() -> None:
    assert sorted(LEARNERS) == sorted(TRAININGS)


def test_a_child_that_crashes_leaves_a_failed_job_with_its_last_words(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, "import os, sys; sys.stderr.write('bad alloc'); sys.stderr.flush(); os.abort()")
    ended = work.supervise(settings, sqlite_database, claimed(sqlite_database))
    assert ended.state == "failed"
    assert "-6" in (ended.error or "")
    assert "bad alloc" in (ended.error or "")


def test_a_child_that_takes_too_long_is_ended(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, "import time; time.sleep(60)")
    short = settings.model_copy(update={"job_seconds": 1})
    ended = work.supervise(short, sqlite_database, claimed(sqlite_database))
    assert ended.state == "failed"
    assert "longer than 1 s" in (ended.error or "")


def test_a_child_that_is_told_to_stop_says_so(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, "import time; time.sleep(60)")
    stop = threading.Event()
    stop.set()
    ended = work.supervise(settings, sqlite_database, claimed(sqlite_database), stop=stop)
    assert (ended.state, ended.error) == ("failed", work.STOPPED)


def test_a_job_may_not_take_all_memory(settings: Settings, sqlite_database: Database) -> None:
    job = claimed(sqlite_database)
    code = (
        "import resource, sys; from fairlead.jobs import limit; limit(256); "
        "\ntry: bytearray(1 << 30)\nexcept MemoryError: sys.exit(5)"
    )
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 5
    assert job.state == "running"


@pytest.mark.parametrize("spent", [MemoryError(), OutOfMemory("bad allocation")])
def test_a_job_that_needs_more_says_what_to_do(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, spent: Exception
) -> None:
    def greedy(*_: object) -> Mapping[str, object]:
        raise spent

    monkeypatch.setattr(work, "JOBS", {"compaction": greedy})
    ended = work.carry_out(settings, open_existing(settings), claimed(sqlite_database))
    assert (ended.state, "raise FAIRLEAD_JOB_MEMORY_MB" in (ended.error or "")) == ("failed", True)


def test_the_runner_does_one_job_after_the_other(settings: Settings, sqlite_database: Database) -> None:
    with sqlite_database.write() as write:
        for _ in range(2):
            jobs.enqueue(write, name="compaction", arguments={}, requested_by="test", now=clock.now())
    runner = work.Runner(settings, sqlite_database)
    assert [runner.step(), runner.step(), runner.step()] == [True, True, False]
    with sqlite_database.read() as read:
        assert [job.state for job in jobs.jobs(read)] == ["done", "done"]


def test_a_job_whose_runner_is_gone_does_not_run_for_ever(settings: Settings, sqlite_database: Database) -> None:
    lost = claimed(sqlite_database)
    long_ago = clock.now() - (settings.job_seconds + 61) * clock.SECOND
    with sqlite_database.write() as write:
        jobs.fail(write, lost.job_id, now=clock.now(), error="reset by the test")
        jobs.enqueue(write, name="compaction", arguments={}, requested_by="test", now=long_ago)
        stale = jobs.claim(write, now=long_ago)
    assert stale is not None
    work.Runner(settings, sqlite_database).step()
    with sqlite_database.read() as read:
        job = jobs.job(read, stale.job_id)
    assert job is not None
    assert (job.state, job.error) == ("failed", work.STOPPED)


def test_a_named_job_is_claimed_once(sqlite_database: Database) -> None:
    with sqlite_database.write() as write:
        older = jobs.enqueue(write, name="drift", arguments={}, requested_by="test", now=1)
        newer = jobs.enqueue(write, name="train", arguments={}, requested_by="test", now=2)
        taken = jobs.claim(write, now=3, job_id=newer.job_id)
    assert taken is not None
    assert taken.job_id == newer.job_id
    with sqlite_database.write() as write:
        assert jobs.claim(write, now=4, job_id=newer.job_id) is None
        rest = jobs.claim(write, now=4)
    assert rest is not None
    assert rest.job_id == older.job_id
    with sqlite_database.write() as write, pytest.raises(Conflict):
        jobs.finish(write, older.job_id, now=5, result={})
        jobs.finish(write, older.job_id, now=6, result={})
