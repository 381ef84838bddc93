"""What a change would do: field by field, beside what somebody else did meanwhile, and in the policy itself."""

from collections.abc import Mapping
from typing import Any

from governance.diff import FieldDiff, ThreeWay, diff, three_way
from governance.kinds import action_of
from governance.standing import standing
from storage import findings, jobs, policies
from storage.database import Read
from storage.records.changes import Change
from storage.records.document import document

DRAFT, ROLLOUT = "policy.draft", "policy.rollout"


@document
class Differences:
    """``fields`` go from what the author found to what they want. ``stale`` tells that the object changed since;
    ``moved`` then sets found, now and wanted side by side. ``policy`` is how the policy version differs from the one
    that serves. ``dry_run`` is what a day of logged decisions said of it: the job's state, and verdict and sentence
    once it is done."""

    fields: tuple[FieldDiff, ...]
    stale: bool
    moved: tuple[ThreeWay, ...]
    policy: tuple[FieldDiff, ...] = ()
    dry_run: Mapping[str, Any] | None = None


def differences(read: Read, change: Change) -> Differences:
    """Return what a change would do."""
    action = action_of(change.kind)
    stale = change.state != "applied" and action.etag(read, change.object_key) != change.base
    now = standing(read, action.object_kind, change.object_key)
    whole = change.found is not None and now is not None
    return Differences(
        fields=() if change.kind == DRAFT else diff(change.found, change.effect),
        stale=stale,
        moved=three_way(change.found, now, change.effect) if stale and whole else (),
        policy=_of_policy(read, change),
        dry_run=_dry_run(read, change),
    )


def _dry_run(read: Read, change: Change) -> Mapping[str, Any] | None:
    job = jobs.job(read, change.dry_run) if change.dry_run else None
    if job is None:
        return None
    audit = findings.audit(read, f"whatif-{job.job_id}")
    told = {"audit_id": audit.audit_id, "verdict": audit.verdict, "sentence": audit.sentence} if audit else {}
    return {"job_id": job.job_id, "state": job.state, "error": job.error, **told}


def _of_policy(read: Read, change: Change) -> tuple[FieldDiff, ...]:
    if change.kind not in (DRAFT, ROLLOUT):
        return ()
    head = policies.head(read, change.object_key)
    served = policies.version(read, change.object_key, head.stable) if head and head.stable else None
    wanted: Any = change.payload.get("document")
    if change.kind == ROLLOUT:
        version = policies.version(read, change.object_key, int(change.payload["version"]))
        wanted = version.document if version else None
    return () if wanted is None else diff(served.document if served else None, wanted)
