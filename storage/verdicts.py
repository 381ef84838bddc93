"""Verdicts of checks: the last of each, and the stretches before it."""

from collections.abc import Sequence

import orjson
from sqlalchemy import func
from sqlmodel import col, delete, select

from storage.database import Read, Write
from storage.records.document import canonical
from storage.records.findings import Verdict
from storage.records.verdicts import CheckVerdict
from storage.tables.checks import CheckVerdictRow


def record(write: Write, told: CheckVerdict) -> bool:
    """Keep what a check says at ``told.seen``; while it says the same the stretch grows. Tell whether it changed."""
    last = _last(write, told.check)
    same = last is not None and last.verdict == told.verdict
    write.merge(
        CheckVerdictRow(
            name=told.check,
            since=last.since if last is not None and same else told.seen,
            seen=told.seen,
            verdict=told.verdict,
            sentence=told.sentence,
            figures=canonical(told.figures).decode(),
        )
    )
    return not same


def latest(read: Read) -> dict[str, CheckVerdict]:
    """Return the last verdict of every check that ever spoke, by name."""
    newest = select(CheckVerdictRow.name, func.max(CheckVerdictRow.since).label("since")).group_by(
        col(CheckVerdictRow.name)
    )
    last = newest.subquery()
    on = (col(CheckVerdictRow.name) == last.c.name) & (col(CheckVerdictRow.since) == last.c.since)
    return {row.name: _told(row) for row in read.all(select(CheckVerdictRow).join(last, on))}


def history(read: Read, check: str, *, limit: int = 100) -> list[CheckVerdict]:
    """Return the stretches of one check, newest first."""
    statement = select(CheckVerdictRow).where(CheckVerdictRow.name == check)
    return [_told(row) for row in read.all(statement.order_by(col(CheckVerdictRow.since).desc()).limit(limit))]


def turned(read: Read, start: int, end: int, *, words: Sequence[Verdict], limit: int = 100) -> list[CheckVerdict]:
    """Return the stretches that began in a range with one of some verdicts, the newest first."""
    statement = select(CheckVerdictRow).where(
        col(CheckVerdictRow.since) >= start,
        col(CheckVerdictRow.since) < end,
        col(CheckVerdictRow.verdict).in_(words),
    )
    return [_told(row) for row in read.all(statement.order_by(col(CheckVerdictRow.since).desc()).limit(limit))]


def forget(write: Write, *, before: int) -> int:
    """Delete stretches that ended before an instant; return how many."""
    return int(write.execute(delete(CheckVerdictRow).where(col(CheckVerdictRow.seen) < before)).rowcount)


def _last(read: Read, check: str) -> CheckVerdictRow | None:
    statement = select(CheckVerdictRow).where(CheckVerdictRow.name == check)
    row: CheckVerdictRow | None = read.first(statement.order_by(col(CheckVerdictRow.since).desc()).limit(1))
    return row


def _told(row: CheckVerdictRow) -> CheckVerdict:
    return CheckVerdict(
        check=row.name,
        since=row.since,
        seen=row.seen,
        verdict=row.verdict,  # type: ignore[arg-type]  # a text column; only record() writes it
        sentence=row.sentence,
        figures=orjson.loads(row.figures),
    )
