"""The consent record: every change, numbered by its epoch; the only place where consent is kept."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func
from sqlmodel import col, select

from storage.database import Read, Write
from storage.errors import Invalid, Problem
from storage.records.consent import ConsentChange, ConsentState, Purpose
from storage.tables.control import ConsentRow, CounterRow

_COUNTER = "consent_epoch"
_STATES = ("granted", "denied")
_CHUNK = 500
PROBE = "probe"
"""The source of what the product's own probe says: counted nowhere, for it is no person."""


def append(
    write: Write,
    *,
    subject: str,
    purpose: Purpose,
    state: ConsentState,
    reason: str,
    source: str,
    actor: str,
    at: int,
    text_version: str = "",
    said_at: int | None = None,
) -> ConsentChange:
    """Record one change. Its epoch is above every epoch that any reader has seen.

    Raises
    ------
    Invalid
        If purpose or state is none of the known ones.
    """
    if state not in _STATES or purpose not in set(Purpose):
        field = "state" if state not in _STATES else "purpose"
        raise Invalid(f"{field}: unknown", problems=(Problem(field=field, message="unknown"),))
    change = ConsentChange(
        epoch=write.next_number(_COUNTER),
        at=at,
        subject=subject,
        purpose=Purpose(purpose),
        state=state,
        reason=reason,
        source=source,
        actor=actor,
        text_version=text_version,
        said_at=said_at,
    )
    write.add(_row(change))
    write.flush()
    return change


def append_all(write: Write, changes: Sequence[ConsentChange]) -> list[ConsentChange]:
    """Record many changes, whose purposes and states are known ones, in their order; their epochs are given here."""
    if not changes:
        return []
    first = write.next_number(_COUNTER, len(changes)) - len(changes) + 1
    numbered = [replace(change, epoch=first + place) for place, change in enumerate(changes)]
    write.add(*(_row(change) for change in numbered))
    write.flush()
    return numbered


def after(read: Read, epoch: int, limit: int) -> list[ConsentChange]:
    """Return up to ``limit`` changes above ``epoch``, in order."""
    rows = read.all(
        select(ConsentRow).where(col(ConsentRow.epoch) > epoch).order_by(col(ConsentRow.epoch)).limit(limit)
    )
    return [_change(row) for row in rows]


def history(read: Read, subject: str) -> list[ConsentChange]:
    """Return every change of one subject, in order."""
    rows = read.all(select(ConsentRow).where(ConsentRow.subject == subject).order_by(col(ConsentRow.epoch)))
    return [_change(row) for row in rows]


def latest(read: Read, subjects: Sequence[str]) -> dict[tuple[str, Purpose], ConsentChange]:
    """Return what each of the subjects said last of each purpose."""
    found: dict[tuple[str, Purpose], ConsentChange] = {}
    for start in range(0, len(subjects), _CHUNK):
        chunk = subjects[start : start + _CHUNK]
        last = (
            select(func.max(ConsentRow.epoch))
            .where(col(ConsentRow.subject).in_(chunk))
            .group_by(col(ConsentRow.subject), col(ConsentRow.purpose))
        )
        for row in read.all(select(ConsentRow).where(col(ConsentRow.epoch).in_(last))):
            found[row.subject, Purpose(row.purpose)] = _change(row)
    return found


def histories(read: Read, subjects: Sequence[str], purpose: Purpose) -> dict[str, list[ConsentChange]]:
    """Return what each of the subjects said of one purpose, in order; who said nothing is not there."""
    found: dict[str, list[ConsentChange]] = {}
    for start in range(0, len(subjects), _CHUNK):
        statement = select(ConsentRow).where(
            col(ConsentRow.subject).in_(subjects[start : start + _CHUNK]), ConsentRow.purpose == purpose.value
        )
        for row in read.all(statement.order_by(col(ConsentRow.epoch))):
            found.setdefault(row.subject, []).append(_change(row))
    return found


def epoch(read: Read) -> int:
    """Return the highest epoch, 0 if nobody said anything yet."""
    return read.first(select(CounterRow.value).where(CounterRow.name == _COUNTER)) or 0


def summary(read: Read) -> dict[str, dict[str, int]]:
    """Return, for each purpose and state, how many subjects said so last; the probe is none."""
    last = select(func.max(ConsentRow.epoch)).group_by(col(ConsentRow.subject), col(ConsentRow.purpose))
    rows = read.all(
        select(ConsentRow.purpose, ConsentRow.state, func.count())
        .where(col(ConsentRow.epoch).in_(last), col(ConsentRow.source) != PROBE)
        .group_by(col(ConsentRow.purpose), col(ConsentRow.state))
        .order_by(col(ConsentRow.purpose), col(ConsentRow.state))
    )
    counts: dict[str, dict[str, int]] = {}
    for purpose, state, count in rows:
        counts.setdefault(purpose, {})[state] = count
    return counts


def withdrawn(read: Read, since: int) -> dict[str, int]:
    """Return, for each purpose, how many opt-outs were recorded since then."""
    rows = read.all(
        select(ConsentRow.purpose, func.count())
        .where(ConsentRow.state == "denied", col(ConsentRow.at) >= since, col(ConsentRow.source) != PROBE)
        .group_by(col(ConsentRow.purpose))
    )
    return {purpose: int(count) for purpose, count in rows}


def wordings(read: Read) -> dict[tuple[str, str], int]:
    """Return how many people's last word is a yes, by purpose and wording; "" where the wording is not known."""
    last = select(func.max(ConsentRow.epoch)).group_by(col(ConsentRow.subject), col(ConsentRow.purpose))
    rows = read.all(
        select(ConsentRow.purpose, ConsentRow.text_version, func.count())
        .where(col(ConsentRow.epoch).in_(last), ConsentRow.state == "granted", col(ConsentRow.source) != PROBE)
        .group_by(col(ConsentRow.purpose), col(ConsentRow.text_version))
    )
    return {(purpose, version): int(count) for purpose, version, count in rows}


def said(read: Read, purpose: Purpose) -> dict[str, ConsentState]:
    """Return what each subject who spoke of a purpose said last."""
    last = (
        select(func.max(ConsentRow.epoch)).where(ConsentRow.purpose == purpose.value).group_by(col(ConsentRow.subject))
    )
    rows = read.all(select(ConsentRow.subject, ConsentRow.state).where(col(ConsentRow.epoch).in_(last)))
    return {subject: "granted" if state == "granted" else "denied" for subject, state in rows}


def _row(change: ConsentChange) -> ConsentRow:
    plain = {name: getattr(change, name) for name in ConsentChange.__dataclass_fields__}
    return ConsentRow(**plain | {"purpose": change.purpose.value})


def _change(row: ConsentRow) -> ConsentChange:
    return ConsentChange(
        epoch=row.epoch,
        at=row.at,
        subject=row.subject,
        purpose=Purpose(row.purpose),
        state="granted" if row.state == "granted" else "denied",
        reason=row.reason,
        source=row.source,
        actor=row.actor,
        text_version=row.text_version,
        said_at=row.said_at,
    )
