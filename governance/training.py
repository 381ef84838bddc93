"""Which model versions may have learned from some rows, and when each is trained next."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from governance.retraining import RetrainPlan
from scoring_core.learning.retrain import STEPS
from storage import registry
from storage.database import Read
from storage.records.clock import instant, iso, moment

CADENCES: Mapping[str, str] = {step.model: step.cadence for step in STEPS if step.name != "calibration"}


def learned_from(
    read: Read, files: Collection[str], *, since: int | None, plan: RetrainPlan, now: int
) -> list[dict[str, Any]]:
    """Return the versions that were trained when these files of the lake held the rows: surely, where the lineage names
    one of the files; else possibly, where they were made after the first of the rows."""
    found = []
    for standing in registry.standings(read):
        model = standing.model
        named = {entry["path"] for entry in model.lineage.get("files", ()) if isinstance(entry, Mapping)}
        surely = bool(named & set(files))
        if not surely and (since is None or model.created_at < since):
            continue
        found.append(
            {
                "name": model.name,
                "version": model.version,
                "made_at": iso(model.created_at),
                "in_service": standing.in_service,
                "learned": "surely" if surely else "possibly",
                "trained_next": next_training(model.name, plan, now),
            }
        )
    return found


def next_training(name: str, plan: RetrainPlan, now: int) -> str | None:
    """Return when a model is trained next (ISO 8601); None where no schedule trains it."""
    cadence = CADENCES.get(name)
    if cadence == "minor" and plan.minor:
        hour = moment(now).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return iso(instant(hour))
    if cadence == "major" and plan.major:
        return iso(instant(_tomorrow(plan, moment(now))))
    return None


def _tomorrow(plan: RetrainPlan, at: datetime) -> datetime:
    here = at.astimezone(ZoneInfo(plan.zone))
    slot = here.replace(hour=plan.hour, minute=0, second=0, microsecond=0, fold=0)
    return slot if slot > here else slot + timedelta(days=1)
