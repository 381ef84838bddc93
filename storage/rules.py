"""The installation's own rules in the database."""

from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.document import canonical, digest, parse
from storage.records.rules import Rule
from storage.tables.rules import RuleRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule with the tag of its present state, and what it was before its last edit."""

    rule: Rule
    etag: str
    updated_at: int
    previous: Rule | None = None


def _stored(row: RuleRow) -> StoredRule:
    return StoredRule(
        rule=parse(Rule, row.document),
        etag=row.etag,
        updated_at=row.updated_at,
        previous=parse(Rule, row.previous) if row.previous is not None else None,
    )


def listed(read: Read) -> list[StoredRule]:
    """Return every rule, by key."""
    return [_stored(row) for row in read.all(select(RuleRow).order_by(col(RuleRow.key)))]


def find(read: Read, key: str) -> StoredRule | None:
    """Return one rule or None."""
    row = read.get(RuleRow, key)
    return _stored(row) if row else None


def save(write: Write, rule: Rule, *, previous: Rule | None, at: int) -> StoredRule:
    """Insert or replace a rule; ``previous`` is what a rollback goes back to."""
    row = RuleRow(
        key=rule.key,
        document=canonical(rule),
        previous=canonical(previous) if previous is not None else None,
        etag=digest(rule),
        updated_at=at,
    )
    write.merge(row)
    write.flush()
    return StoredRule(rule=rule, etag=row.etag, updated_at=at, previous=previous)


def remove(write: Write, key: str) -> bool:
    """Delete a rule; False where there is none."""
    row = write.get(RuleRow, key)
    if row is None:
        return False
    write.delete(row)
    write.flush()
    return True
