"""What people stated and whom visitors turned out to be: one order of changes, the newest statement of each holds."""

from collections.abc import Mapping

from sqlmodel import col, or_, select

from storage.database import Read, Write
from storage.records.document import canonical, parse
from storage.records.events import Scalar
from storage.records.profiles import PersonChange, Profile
from storage.tables.people import PersonChangeRow

COUNTER = "people"
"""The sequence that numbers changes."""


def state(write: Write, subject: str, profile: Profile, *, at: int) -> PersonChange:
    """Let ``profile`` be all that a person stated."""
    change = PersonChange(number=write.next_number(COUNTER), at=at, subject=subject, kind="stated", profile=profile)
    write.add(PersonChangeRow(number=change.number, at=at, subject=subject, kind="stated", document=canonical(profile)))
    write.flush()
    return change


def merge(write: Write, visitor: str, account: str, *, at: int) -> PersonChange:
    """Note that a visitor turned out to be an account."""
    change = PersonChange(number=write.next_number(COUNTER), at=at, subject=visitor, kind="merged", account=account)
    write.add(PersonChangeRow(number=change.number, at=at, subject=visitor, kind="merged", account=account))
    write.flush()
    return change


def stated(read: Read, subject: str) -> PersonChange | None:
    """Return a person's newest statement, or None."""
    row = read.first(
        select(PersonChangeRow)
        .where(PersonChangeRow.subject == subject, PersonChangeRow.kind == "stated")
        .order_by(col(PersonChangeRow.number).desc())
        .limit(1)
    )
    return None if row is None else _change(row)


def after(read: Read, number: int, limit: int) -> list[PersonChange]:
    """Return up to ``limit`` changes above ``number``, in order."""
    rows = read.all(
        select(PersonChangeRow)
        .where(col(PersonChangeRow.number) > number)
        .order_by(col(PersonChangeRow.number))
        .limit(limit)
    )
    return [_change(row) for row in rows]


def history(read: Read, subject: str) -> list[PersonChange]:
    """Return every change that concerns one subject, as itself or as the account that a visitor joined, in order."""
    rows = read.all(
        select(PersonChangeRow)
        .where(or_(PersonChangeRow.subject == subject, PersonChangeRow.account == subject))
        .order_by(col(PersonChangeRow.number))
    )
    return [_change(row) for row in rows]


def attributes(read: Read) -> dict[str, Mapping[str, Scalar]]:
    """Return what each subject who stated anything states of themselves now."""
    rows = read.all(
        select(PersonChangeRow).where(PersonChangeRow.kind == "stated").order_by(col(PersonChangeRow.number))
    )
    return {row.subject: parse(Profile, bytes(row.document)).attributes for row in rows}


def accounts(read: Read) -> dict[str, str]:
    """Return the account that each visitor turned out to be, in the end."""
    rows = read.all(
        select(PersonChangeRow.subject, PersonChangeRow.account)
        .where(PersonChangeRow.kind == "merged")
        .order_by(col(PersonChangeRow.number))
    )
    found: dict[str, str] = {}
    for visitor, account in rows:
        found = {each: account if held == visitor else held for each, held in found.items()} | {visitor: account}
    return found


def _change(row: PersonChangeRow) -> PersonChange:
    if row.kind == "merged":
        return PersonChange(number=row.number, at=row.at, subject=row.subject, kind="merged", account=row.account)
    profile = parse(Profile, bytes(row.document))
    return PersonChange(number=row.number, at=row.at, subject=row.subject, kind="stated", profile=profile)
