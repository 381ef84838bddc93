"""Heavy work as child processes with limits of time and memory; the runner that does what was asked for."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from fairlead import subject_jobs
from fairlead.catalogue_job import catalogue
from fairlead.consent_job import consents
from fairlead.drift_job import drift_watch
from fairlead.settings import Settings
from fairlead.wiring import Store, control_of, open_existing
from storage import jobs, registry
from storage.database import Database
from storage.duck import OutOfMemory
from storage.errors import FairleadError, Invalid, NotFound, Problem, Unavailable
from storage.records import clock
from storage.records.access import ROLES, Principal
from storage.records.findings import Job

log = structlog.get_logger(__name__)

Work = Callable[[Settings, Store, Job], Mapping[str, Any]]
STOPPED = "control was stopped while it ran; ask for it again"
RETRAINED_ON = ("live", "imported")
_TRAINING = frozenset({"name", "seed", "origins"})
_OF_RANKER = frozenset({"members", "trees", "objective", "stream"})


def machine(reason: str) -> Any:
    """Return the warrant of what this installation does by itself."""
    from governance.warrants import Warrant

    by = Principal(name="fairlead", role="admin", scopes=ROLES["admin"], token_id="local")  # noqa: S106  # an id, no secret
    return Warrant(by=by, reason=reason)


def _train(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    from scoring_core.learning.promote import judge
    from scoring_core.learning.retrain import TRAININGS

    arguments = {"seed": 1, **job.arguments}
    step = TRAININGS.get(str(arguments.pop("model", "ranker")))
    if step is None:
        said = f"one of {', '.join(sorted(TRAININGS))}"
        raise Invalid(f"model: must be {said}", problems=(Problem(field="model", message=said),))
    known = _TRAINING | (_OF_RANKER if step.model == "ranker" else frozenset())
    unknown = set(arguments) - known
    if unknown:
        problems = tuple(Problem(field=name, message="training knows no such argument") for name in sorted(unknown))
        raise Invalid(f"training of {step.model} takes {', '.join(sorted(known))}", problems=problems)
    try:
        model = step.learner()(store.database, store.lake, store.home, now=store.now(), **arguments)
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed; install fairlead[learning]") from None
    promotion = judge(store.database, store.lake, store.home, model=model, now=store.now())
    with store.database.write() as write:
        registry.note_verdict(write, model.name, model.version, promotion.document())
    revision = None
    if promotion.promoted:
        warrant = machine(f"trained {model.name} {model.version}: {promotion.reason}")
        revision = control_of(settings, store).publish_models(warrant, judged={model.name: model.version})
    return {
        "name": model.name,
        "version": model.version,
        "evaluation": model.evaluation.get("sentence", ""),
        "calibration": model.calibration.status,
        **promotion.document(),
        "revision": revision,
    }


def _retrain(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    from scoring_core.learning.promote import Promotion
    from scoring_core.learning.retrain import Retraining, retrain
    from storage.records.models import ModelVersion

    kind = job.arguments.get("kind")
    if kind not in ("minor", "major"):
        raise Invalid("kind: must be minor or major", problems=(Problem(field="kind", message="minor or major"),))
    control = control_of(settings, store)

    def adopt(model: ModelVersion, verdict: Promotion) -> int:
        return control.publish_models(
            machine(f"{kind} retraining, {model.name} {model.version}: {verdict.reason}"),
            judged={model.name: model.version},
        )

    run = Retraining(
        database=store.database,
        lake=store.lake,
        home=store.home,
        now=store.now(),
        seed=int(job.arguments.get("seed", 1)),
        origins=tuple(job.arguments.get("origins", RETRAINED_ON)),
        adopt=adopt,
    )
    return retrain(run, cadence=kind)


def _audit(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    from governance.checks.protocol import audit_runner

    found = audit_runner(job.name)(
        store.database, store.lake, job_id=job.job_id, arguments=job.arguments, now=store.now(), home=settings.home
    )
    return {"audit_id": found.audit_id, "verdict": found.verdict, "sentence": found.sentence}


def _compaction(_settings: Settings, store: Store, _job: Job) -> Mapping[str, Any]:
    from storage.compaction import compact

    return {"files": compact(store.lake, store.database, now=store.now())}


JOBS: Mapping[str, Work] = {
    "catalogue": catalogue,
    "consents": consents,
    "train": _train,
    "retrain": _retrain,
    **dict.fromkeys(("fairness", "drift", "rules", "whatif", "offpolicy", "experiments", "insights"), _audit),
    "drift_watch": drift_watch,
    "compaction": _compaction,
    **subject_jobs.JOBS,
}


def limit(memory_mb: int) -> None:
    """Let this process take so much private memory and no more: beyond it, allocation fails."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))


def execute(settings: Settings, job_id: str) -> int:
    """Do a claimed job in this process and write down what came of it: what the runner's child runs."""
    limit(settings.job_memory_mb)
    os.nice(5)
    store = open_existing(settings)
    with store.database.read() as read:
        job = jobs.job(read, job_id)
    if job is None:
        raise NotFound("no such job")
    return 0 if carry_out(settings, store, job).state == "done" else 1


def carry_out(settings: Settings, store: Store, job: Job) -> Job:
    """Do a claimed job here and now, by the clock of ``store``; return it with what came of it."""
    error = ""
    result: Mapping[str, Any] = {}
    try:
        result = JOBS[job.name](settings, store, job)
    except FairleadError as problem:
        error = str(problem)
    except (MemoryError, OutOfMemory):
        error = f"it needed more than {settings.job_memory_mb} MB; raise FAIRLEAD_JOB_MEMORY_MB, or ask for less"
    except Exception as problem:  # a bug: the row says so, the log has the rest
        log.exception("a job failed", job=job.name)
        error = f"{type(problem).__name__}: {problem}"[:500]
    with store.database.write() as write:
        if error:
            return jobs.fail(write, job.job_id, now=store.now(), error=error)
        return jobs.finish(write, job.job_id, now=store.now(), result=result)


def _command(job: Job) -> list[str]:
    return [sys.executable, "-m", "fairlead", "job", "execute", job.job_id]


def supervise(settings: Settings, database: Database, job: Job, *, stop: threading.Event | None = None) -> Job:
    """Run a claimed job's child process to its end, its limit or ``stop``; return the job as it then stands."""
    environ = {**os.environ, **settings.environ, "DO_NOT_TRACK": "1"}
    halt = stop or threading.Event()
    deadline = clock.now() + settings.job_seconds * clock.SECOND
    reason = ""
    with tempfile.TemporaryFile() as talk:
        child = subprocess.Popen(  # noqa: S603  # our own command and an id of our own
            _command(job),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=talk,
            process_group=0,
        )
        try:
            while child.poll() is None and not reason:
                if halt.wait(0.1):
                    reason = STOPPED
                elif clock.now() > deadline:
                    reason = (
                        f"it took longer than {settings.job_seconds} s; raise FAIRLEAD_JOB_SECONDS, or ask for less"
                    )
        except BaseException:
            reason = STOPPED
            raise
        finally:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            code = child.wait()
            talk.seek(max(0, talk.seek(0, os.SEEK_END) - 500))
            last = talk.read().decode("utf-8", "replace").strip()
            error = reason or f"its process ended with {code} before it could report: {last}"
            ended = _settle(database, job, error)
    return ended


def _settle(database: Database, job: Job, error: str) -> Job:
    """Return the job as its child left it, failed where the child could not say so itself."""
    with database.write() as write:
        ended = jobs.job(write, job.job_id) or job
        return jobs.fail(write, job.job_id, now=clock.now(), error=error) if ended.state == "running" else ended


def run_now(settings: Settings, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a job here: recorded like any other, done by a child process, waited for.

    Raises
    ------
    NotFound
        When there is no such kind of job.
    FairleadError
        With the reason, when it failed.
    """
    if name not in JOBS:
        raise NotFound(f"no job is called so; there are {', '.join(sorted(JOBS))}")
    database = open_existing(settings).database
    with database.write() as write:
        job = jobs.enqueue(write, name=name, arguments=arguments, requested_by="command line", now=clock.now())
        claimed = jobs.claim(write, now=clock.now(), job_id=job.job_id)
    ended = supervise(settings, database, claimed or job)
    if ended.state != "done":
        raise FairleadError(f"job {ended.job_id} ({name}) failed: {ended.error}")
    return {"job_id": ended.job_id, **(ended.result or {})}


class Runner:
    """Does what was asked for, one job at a time, until stopped."""

    def __init__(self, settings: Settings, database: Database, *, every_s: float = 1.0) -> None:
        self._settings = settings
        self._database = database
        self._every_s = every_s
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the child that runs, note it in its row, and end."""
        self._halt.set()
        self._thread.join()

    def step(self) -> bool:
        """Do one job if one waits; tell whether there was one."""
        with self._database.write() as write:
            self._forget_the_lost(write)
            job = jobs.claim(write, now=clock.now())
        if job is None:
            return False
        log.info("a job begins", job=job.name, job_id=job.job_id)
        ended = supervise(self._settings, self._database, job, stop=self._halt)
        log.info("a job ended", job=job.name, job_id=job.job_id, state=ended.state, error=ended.error)
        return True

    def _forget_the_lost(self, write: Any) -> None:
        """Fail what still stands as running long after its time: its runner is gone."""
        longest = (self._settings.job_seconds + 60) * clock.SECOND
        for job in jobs.jobs(write, state="running"):
            if clock.now() - (job.started_at or 0) > longest:
                jobs.fail(write, job.job_id, now=clock.now(), error=STOPPED)

    def _loop(self) -> None:
        while not self._halt.is_set():
            try:
                busy = self.step()
            except FairleadError as error:
                log.warning("the queue of jobs cannot be read", reason=str(error))
                busy = False
            if not busy:
                self._halt.wait(self._every_s)
