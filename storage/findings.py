"""Audit runs as they are kept: written once, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlmodel import col, desc, select

from storage.database import Read, Write
from storage.records.document import canonical
from storage.records.findings import Audit, Verdict
from storage.tables.observed import AuditRow

LOOKED_BACK = 500
"""Among so many audits the newest of each plan is looked for."""


def save(write: Write, audit: Audit) -> None:
    """Store one audit run; an audit is immutable, so a second one with its id is a ``Conflict``."""
    write.add(
        AuditRow(
            audit_id=audit.audit_id,
            kind=audit.kind,
            job_id=audit.job_id,
            at=audit.at,
            verdict=audit.verdict,
            sentence=audit.sentence,
            population=canonical(audit.population),
            result=canonical(audit.result),
            artifacts=canonical(audit.artifacts).decode(),
        )
    )
    write.flush()


def _record(row: AuditRow) -> Audit:
    return Audit(
        audit_id=row.audit_id,
        kind=row.kind,  # type: ignore[arg-type]  # a text column; only save() writes it
        job_id=row.job_id,
        at=row.at,
        verdict=row.verdict,  # type: ignore[arg-type]  # a text column; only save() writes it
        sentence=row.sentence,
        population=orjson.loads(row.population),
        result=orjson.loads(row.result),
        artifacts=orjson.loads(row.artifacts),
    )


def audits(read: Read, kind: str | None = None, limit: int = 100) -> list[Audit]:
    """Return audit runs, newest first, of one kind or of all."""
    statement = select(AuditRow).order_by(desc(AuditRow.at), desc(AuditRow.audit_id)).limit(limit)
    if kind is not None:
        statement = statement.where(AuditRow.kind == kind)
    return [_record(row) for row in read.all(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an audit said, without its figures."""

    audit_id: str
    kind: str
    at: int
    verdict: Verdict
    sentence: str


def told(read: Read, start: int, end: int, *, verdicts: Sequence[Verdict], limit: int = 100) -> list[Told]:
    """Return what audits of a range said, the newest first, of some verdicts."""
    rows = read.all(
        select(AuditRow.audit_id, AuditRow.kind, AuditRow.at, AuditRow.verdict, AuditRow.sentence)  # type: ignore[call-overload]  # stubs end at four
        .where(col(AuditRow.at) >= start, col(AuditRow.at) < end, col(AuditRow.verdict).in_(verdicts))
        .order_by(desc(AuditRow.at))
        .limit(limit)
    )
    return [Told(audit_id=a, kind=kind, at=at, verdict=word, sentence=said) for a, kind, at, word, said in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFinding:
    """What the newest fairness audit of a plan said; of none, the plan is empty."""

    plan: str
    at: int
    verdict: Verdict
    sentence: str


def latest_by_plan(read: Read) -> list[PlannedFinding]:
    """Return the newest fairness audit of each plan, by plan; figures stay where they are."""
    rows = read.all(
        select(AuditRow.population, AuditRow.at, AuditRow.verdict, AuditRow.sentence)
        .where(AuditRow.kind == "fairness")
        .order_by(desc(AuditRow.at), desc(AuditRow.audit_id))
        .limit(LOOKED_BACK)
    )
    found: dict[str, PlannedFinding] = {}
    for population, at, verdict, sentence in rows:
        plan = str(orjson.loads(population).get("plan") or "")
        found.setdefault(plan, PlannedFinding(plan=plan, at=at, verdict=verdict, sentence=sentence))
    return [found[plan] for plan in sorted(found)]


def audit(read: Read, audit_id: str) -> Audit | None:
    """Return one audit run or None."""
    row = read.get(AuditRow, audit_id)
    return None if row is None else _record(row)
