"""What checks and audits found, jobs that looked, and the verdict's four words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail", "unknown"]
JobState = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of heavy work, asked for through control, done by a child process."""

    job_id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    state: JobState = "queued"
    requested_by: str = ""
    created_at: int = 0
    started_at: int | None = None
    finished_at: int | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One immutable audit run. ``sentence`` is its verdict in plain words; ``artifacts`` maps a name to a file below
    the home folder."""

    audit_id: str
    kind: Literal["fairness", "drift", "rules", "offpolicy", "whatif", "experiments", "insights"]
    job_id: str
    at: int
    verdict: Verdict
    sentence: str
    population: Mapping[str, Any]
    result: Mapping[str, Any]
    artifacts: Mapping[str, str] = field(default_factory=dict)
