"""The gate before the first step: what logged decisions say of a version that nobody was shown."""

from collections.abc import Mapping
from typing import Any

from storage import findings
from storage.database import Read
from storage.records.document import document
from storage.records.findings import Audit, Verdict

NONE = "No off-policy estimate of this version was made; the page What if and `fairlead offpolicy` make one."


@document
class Preflight:
    """What the newest off-policy estimate of a version says; empty ``audit_id``: there is none."""

    verdict: Verdict
    sentence: str
    audit_id: str = ""


def _about(audit: Audit, policy: str, version: int) -> bool:
    """Tell whether an estimate is of this version as it stands, and of nothing else."""
    return audit.result.get("scenario") == {"policy": policy, "version": version}


def _harm(result: Mapping[str, Any]) -> bool:
    """Tell whether every interval of the difference to what was logged lies below zero."""
    lifts = result.get("estimated", {}).get("lift") or {}
    return bool(lifts) and all(each["high"] < 0.0 for each in lifts.values())


def preflight(read: Read, policy: str, version: int) -> Preflight:
    """Return what is known before a version is rolled out: harm only where the log can tell and shows it."""
    known = next((each for each in findings.audits(read, "offpolicy") if _about(each, policy, version)), None)
    if known is None:
        return Preflight(verdict="unknown", sentence=NONE)
    supported = known.verdict in {"pass", "warn", "fail"}
    verdict: Verdict = "fail" if supported and _harm(known.result) else "pass" if supported else "unknown"
    return Preflight(verdict=verdict, sentence=known.sentence, audit_id=known.audit_id)
