"""Jobs about people: an erasure's next step, an export, and what is past its time."""

from collections.abc import Callable, Mapping
from typing import Any

from fairlead.settings import Settings
from fairlead.wiring import Store, control_of
from storage.database import Write
from storage.errors import Invalid, Problem
from storage.records.findings import Job


def _request_of(job: Job) -> str:
    request_id = job.arguments.get("request_id")
    if not isinstance(request_id, str) or not request_id:
        message = "name the request; `fairlead subject requests` lists them"
        raise Invalid(f"request_id: {message}", problems=(Problem(field="request_id", message=message),))
    return request_id


def erasure(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    """Take an erasure as far as it can go now."""
    from collectors.cells import land
    from governance.erasing import Erasing
    from governance.retraining import RetrainPlan
    from storage.joins import Touched

    def nothing(_write: Write) -> None:
        """Land no file: cells alone are counted anew."""

    def recount(touched: Touched) -> int:
        return land(store.database, store.lake, (), decision_ids=(), loose=touched, now=store.now(), also=nothing)

    work = Erasing(
        database=store.database,
        lake=store.lake,
        home=store.home,
        keys=store.keys,
        control=control_of(settings, store),
        recount=recount,
        now=store.now,
        redis_url=settings.redis,
        retraining=RetrainPlan(
            minor=settings.retrain_minor,
            major=settings.retrain_major,
            hour=settings.retrain_hour,
            zone=settings.retrain_zone,
        ),
    )
    told = dict(work.step(_request_of(job)))
    told.pop("receipt", None)
    return told


def export(settings: Settings, store: Store, job: Job) -> Mapping[str, Any]:
    """Write what is kept of one person into a file."""
    from governance.portability import Exporting

    work = Exporting(
        database=store.database,
        lake=store.lake,
        home=store.home,
        keys=store.keys,
        control=control_of(settings, store),
        now=store.now,
    )
    return work.export(_request_of(job))


def retention(settings: Settings, store: Store, _job: Job) -> Mapping[str, Any]:
    """Delete what is past its time."""
    from governance.retention import retain

    return retain(
        store.database,
        store.lake,
        store.home,
        control_of(settings, store),
        max_bytes=settings.retention_max_bytes,
        now=store.now(),
    )


JOBS: Mapping[str, Callable[[Settings, Store, Job], Mapping[str, Any]]] = {
    "erasure": erasure,
    "export": export,
    "retention": retention,
}
