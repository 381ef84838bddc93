"""When models are retrained: every hour the small ones, once a day the large ones, each slot once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage import jobs
from storage.database import Read
from storage.records.clock import HOUR, MINUTE, instant, moment

JOB = "retrain"
GRACE: Mapping[str, int] = {"minor": 15 * MINUTE, "major": 2 * HOUR}
"""How long after its time a slot may still begin. What was missed longer than that is not made up for: the next one
comes."""
_LOOKED_AT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainPlan:
    """Whether models are retrained hourly (``minor``) and daily (``major``), the latter at ``hour`` in ``zone``."""

    minor: bool = True
    major: bool = True
    hour: int = 3
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One retraining that is due: its kind, and the moment (ISO 8601) that names it."""

    kind: str
    at: str


def due(read: Read, plan: RetrainPlan, now: int) -> tuple[Slot, ...]:
    """Return the slots whose time has come, that are within their grace, and for which no job was asked yet."""
    asked = {
        (job.arguments.get("kind"), job.arguments.get("slot")) for job in jobs.jobs(read, name=JOB, limit=_LOOKED_AT)
    }
    found = [
        Slot(kind=kind, at=began.isoformat())
        for kind, wanted, began in (("minor", plan.minor, _hourly(now)), ("major", plan.major, _daily(plan, now)))
        if wanted and now - instant(began) <= GRACE[kind]
    ]
    return tuple(slot for slot in found if (slot.kind, slot.at) not in asked)


def _hourly(now: int) -> datetime:
    return moment(now).replace(minute=0, second=0, microsecond=0)


def _daily(plan: RetrainPlan, now: int) -> datetime:
    """Return the latest start of a daily slot; where the clock skips the hour, the moment that follows the gap."""
    here = moment(now).astimezone(ZoneInfo(plan.zone))
    today = here.replace(hour=plan.hour, minute=0, second=0, microsecond=0, fold=0)
    if instant(today) > now:
        today -= timedelta(days=1)
    return today
