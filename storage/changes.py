"""Change requests in the database."""

from collections.abc import Collection

import orjson
from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.changes import Change
from storage.records.document import canonical
from storage.tables.control import ChangeRow


def _change(row: ChangeRow) -> Change:
    return Change(
        change_id=row.change_id,
        kind=row.kind,
        object_key=row.object_key,
        payload=orjson.loads(row.payload),
        state=row.state,  # type: ignore[arg-type]  # written by save alone, from a Change
        level=row.level,  # type: ignore[arg-type]  # likewise
        author=row.author,
        reason=row.reason,
        approvals=tuple(orjson.loads(row.approvals)),
        base=row.base,
        created_at=row.created_at,
        updated_at=row.updated_at,
        applied_revision=row.applied_revision,
        apply_at=row.apply_at,
        scheduled_by=row.scheduled_by,
        found=None if row.found is None else orjson.loads(row.found),
        effect=None if row.effect is None else orjson.loads(row.effect),
        dry_run=row.dry_run,
    )


def save(write: Write, change: Change) -> None:
    """Insert or replace a change."""
    write.merge(
        ChangeRow(
            change_id=change.change_id,
            kind=change.kind,
            object_key=change.object_key,
            payload=canonical(change.payload),
            state=change.state,
            level=change.level,
            author=change.author,
            reason=change.reason,
            approvals=orjson.dumps(change.approvals).decode(),
            base=change.base,
            created_at=change.created_at,
            updated_at=change.updated_at,
            applied_revision=change.applied_revision,
            apply_at=change.apply_at,
            scheduled_by=change.scheduled_by,
            found=None if change.found is None else canonical(change.found),
            effect=None if change.effect is None else canonical(change.effect),
            dry_run=change.dry_run,
        )
    )
    write.flush()


def find(read: Read, change_id: str) -> Change | None:
    """Return one change or None."""
    row = read.get(ChangeRow, change_id)
    return _change(row) if row else None


def listed(
    read: Read, *, states: Collection[str] = (), object_key: str | None = None, limit: int = 200
) -> list[Change]:
    """Return changes, the latest touched first."""
    statement = select(ChangeRow)
    if states:
        statement = statement.where(col(ChangeRow.state).in_(states))
    if object_key is not None:
        statement = statement.where(col(ChangeRow.object_key) == object_key)
    order = (col(ChangeRow.updated_at).desc(), col(ChangeRow.change_id).desc())
    return [_change(row) for row in read.all(statement.order_by(*order).limit(limit))]
