"""Emergencies in the database: who applied alone, until when, and who looked at it."""

import orjson
from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.changes import Emergency
from storage.tables.toggles import EmergencyRow


def _emergency(row: EmergencyRow) -> Emergency:
    return Emergency(
        emergency_id=row.emergency_id,
        principal=row.principal,
        reason=row.reason,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        deeds=tuple(orjson.loads(row.deeds)),
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
        finding=row.finding,
    )


def save(write: Write, emergency: Emergency) -> None:
    """Insert or replace an emergency."""
    fields = {name: getattr(emergency, name) for name in emergency.__dataclass_fields__}
    write.merge(EmergencyRow(**fields | {"deeds": orjson.dumps(emergency.deeds).decode()}))
    write.flush()


def find(read: Read, emergency_id: str) -> Emergency | None:
    """Return one emergency or None."""
    row = read.get(EmergencyRow, emergency_id)
    return _emergency(row) if row else None


def listed(read: Read, *, limit: int = 200) -> list[Emergency]:
    """Return emergencies, the latest first."""
    return [
        _emergency(row)
        for row in read.all(select(EmergencyRow).order_by(col(EmergencyRow.opened_at).desc()).limit(limit))
    ]


def unreviewed(read: Read) -> list[Emergency]:
    """Return those that nobody has looked at, the oldest first."""
    rows = read.all(
        select(EmergencyRow).where(col(EmergencyRow.reviewed_at).is_(None)).order_by(col(EmergencyRow.opened_at))
    )
    return [_emergency(row) for row in rows]
