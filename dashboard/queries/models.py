"""Models as pages read them: versions and how they stand, and what the latest retrainings did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage import jobs, registry
from storage.database import Read
from storage.records.findings import Job
from storage.records.models import Standing

RETRAIN = "retrain"
LOOKED_AT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Every version by model name, newest first, and the names that wait for a person since a rollback."""

    versions: Mapping[str, tuple[Standing, ...]]
    held: frozenset[str]

    @property
    def in_service(self) -> Mapping[str, Standing]:
        """The version in service of each name that has one."""
        return {name: one for name, found in self.versions.items() for one in found if one.in_service}


def models(read: Read) -> Models:
    """Return every version."""
    found: dict[str, list[Standing]] = {}
    for one in registry.standings(read):
        found.setdefault(one.model.name, []).append(one)
    return Models(
        versions={name: tuple(found[name]) for name in sorted(found)},
        held=frozenset(name for name in found if registry.held(read, name)),
    )


def retrainings(read: Read) -> tuple[Job, ...]:
    """Return the latest retrainings, newest first."""
    return tuple(jobs.jobs(read, name=RETRAIN, limit=LOOKED_AT))


def latest(found: Sequence[Job], kind: str) -> Job | None:
    """Return the newest retraining of a kind that has ended."""
    return next((one for one in found if one.arguments.get("kind") == kind and one.finished_at is not None), None)


def stands(one: Standing) -> str:
    """Say in two words how a version stands.

    >>> from storage.records.models import ModelVersion
    >>> model = ModelVersion(name="m", version="1", created_at=0, path="p", digest="d")
    >>> stands(Standing(model=model)), stands(Standing(model=model, verdict={"promoted": False}))
    ('not judged', 'kept out')
    """
    if one.in_service:
        return "in service"
    if one.withdrawn_at is not None:
        return "taken back"
    if one.served_at is not None:
        return "served before"
    if one.verdict is None:
        return "not judged"
    return "waits" if one.verdict.get("waits") else "kept out"


def before(found: Sequence[Standing]) -> Standing | None:
    """Return the version that a rollback would put back in service."""
    earlier = [one for one in found if one.served_at is not None and one.withdrawn_at is None and not one.in_service]
    return max(earlier, key=lambda one: (one.served_at or 0, one.model.version), default=None)


def feedback(found: Sequence[Job], versions: Mapping[str, Sequence[Standing]]) -> tuple[int, Mapping[str, Any]] | None:
    """Return when feedback was judged last, and what was found: by a retraining, or by the training of a version."""
    told = [
        (one.finished_at or 0, one.result["feedback"])
        for one in found
        if one.result is not None and isinstance(one.result.get("feedback"), Mapping)
    ]
    told += [
        (one.model.created_at, one.model.lineage["feedback"])
        for each in versions.values()
        for one in each
        if isinstance(one.model.lineage.get("feedback"), Mapping)
    ]
    return max(told, key=lambda one: one[0], default=None)
