"""What probes saw, and every violation that a probe or a look at the records found."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, delete, desc, select

from storage.database import Read, Write
from storage.records.clock import DAY
from storage.records.consent import ConsentProbe, ConsentViolation, Detector
from storage.tables.consent import ConsentProbeRow, ConsentViolationRow

KEPT_US = 30 * DAY
"""How long probes are kept; violations are kept for good."""


def note(write: Write, probes: Sequence[ConsentProbe], *, now: int) -> None:
    """Keep what a round of probes saw, and forget the oldest."""
    for probe in probes:
        write.merge(ConsentProbeRow(**{name: getattr(probe, name) for name in ConsentProbe.__dataclass_fields__}))
    write.execute(delete(ConsentProbeRow).where(col(ConsentProbeRow.at) < now - KEPT_US))


def probes(read: Read, *, since: int = 0, kind: str | None = None, limit: int = 1_000) -> list[ConsentProbe]:
    """Return what probes saw, newest first."""
    statement = select(ConsentProbeRow).where(col(ConsentProbeRow.at) >= since)
    if kind is not None:
        statement = statement.where(ConsentProbeRow.kind == kind)
    rows = read.all(statement.order_by(desc(ConsentProbeRow.at), col(ConsentProbeRow.replica)).limit(limit))
    return [ConsentProbe(**{name: getattr(row, name) for name in ConsentProbe.__dataclass_fields__}) for row in rows]


def counted(read: Read, *, since: int) -> dict[str, int]:
    """Return how many probes had each result."""
    rows = read.all(
        select(ConsentProbeRow.result, func.count())
        .where(col(ConsentProbeRow.at) >= since)
        .group_by(col(ConsentProbeRow.result))
    )
    return {result: int(count) for result, count in rows}


def found(write: Write, violations: Sequence[ConsentViolation]) -> list[ConsentViolation]:
    """Keep violations; return those that this detector had not found before."""
    fresh = []
    for violation in violations:
        if write.get(ConsentViolationRow, (violation.decision_id, violation.detector)) is None:
            plain = {name: getattr(violation, name) for name in ConsentViolation.__dataclass_fields__}
            write.add(ConsentViolationRow(**plain))
            write.flush()
            fresh.append(violation)
    return fresh


def violations(read: Read, *, since: int = 0, limit: int = 100) -> list[ConsentViolation]:
    """Return violations found since then, newest first."""
    statement = (
        select(ConsentViolationRow)
        .where(col(ConsentViolationRow.found_at) >= since)
        .order_by(desc(ConsentViolationRow.found_at))
        .limit(limit)
    )
    return [
        ConsentViolation(**{name: getattr(row, name) for name in ConsentViolation.__dataclass_fields__})
        for row in read.all(statement)
    ]


def totals(read: Read, *, since: int = 0) -> dict[Detector, int]:
    """Return how many violations each detector found; those that found none are there with 0."""
    rows = read.all(
        select(ConsentViolationRow.detector, func.count())
        .where(col(ConsentViolationRow.found_at) >= since)
        .group_by(col(ConsentViolationRow.detector))
    )
    counts = {detector: int(count) for detector, count in rows}
    return {"probe": counts.get("probe", 0), "replay": counts.get("replay", 0)}
