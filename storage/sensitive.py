"""Sensitive attributes of people, kept apart: audits alone read them, no decision, no profile, no feature does."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.tables.fairness import SensitiveAttributeRow
from storage.upserts import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveAttribute:
    """What a subject (a pseudonym) says of themselves, by whom it was told (``source``), and when."""

    subject: str
    attribute: str
    value: str
    source: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many people say something of an attribute, and how many say what."""

    attribute: str
    people: int
    values: tuple[tuple[str, int], ...]


def put(write: Write, told: Sequence[SensitiveAttribute]) -> None:
    """Keep what was told; the newest of each subject and attribute holds."""
    rows = {(one.subject, one.attribute): one for one in told}
    upsert(
        write,
        SensitiveAttributeRow,
        [{name: getattr(one, name) for name in SensitiveAttribute.__dataclass_fields__} for one in rows.values()],
    )


def values(read: Read, attribute: str) -> dict[str, str]:
    """Return the value of each subject who has one."""
    rows = read.all(
        select(SensitiveAttributeRow.subject, SensitiveAttributeRow.value).where(
            SensitiveAttributeRow.attribute == attribute
        )
    )
    return {subject: value for subject, value in rows}  # noqa: C416  # rows are no pairs to dict()


def coverage(read: Read) -> list[Coverage]:
    """Return each attribute with its counts, by name."""
    rows = read.all(
        select(SensitiveAttributeRow.attribute, SensitiveAttributeRow.value, func.count())
        .group_by(col(SensitiveAttributeRow.attribute), col(SensitiveAttributeRow.value))
        .order_by(col(SensitiveAttributeRow.attribute), col(SensitiveAttributeRow.value))
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for attribute, value, count in rows:
        found.setdefault(attribute, []).append((value, int(count)))
    return [
        Coverage(attribute=name, people=sum(count for _, count in held), values=tuple(held))
        for name, held in found.items()
    ]


def of_subject(read: Read, subject: str) -> list[SensitiveAttribute]:
    """Return what one subject says, for their own copy."""
    rows = read.all(
        select(SensitiveAttributeRow)
        .where(SensitiveAttributeRow.subject == subject)
        .order_by(col(SensitiveAttributeRow.attribute))
    )
    return [
        SensitiveAttribute(subject=row.subject, attribute=row.attribute, value=row.value, source=row.source, at=row.at)
        for row in rows
    ]


def drop(write: Write, attribute: str) -> int:
    """Delete an attribute of everyone; return of how many."""
    return int(
        write.execute(delete(SensitiveAttributeRow).where(col(SensitiveAttributeRow.attribute) == attribute)).rowcount
    )
