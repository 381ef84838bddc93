"""Alerts and silences in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import orjson
from sqlalchemy import func
from sqlmodel import col, delete, or_, select

from storage.database import Read, Write
from storage.records.alerts import Alert, Silence
from storage.records.document import canonical
from storage.tables.alerts import AlertRow, SilenceRow


def _alert(row: AlertRow) -> Alert:
    plain = {each.name: getattr(row, each.name) for each in fields(Alert)}
    return Alert(**plain | {"figures": orjson.loads(row.figures)})


def _silence(row: SilenceRow) -> Silence:
    return Silence(**{each.name: getattr(row, each.name) for each in fields(Silence)})


def save(write: Write, alert: Alert) -> None:
    """Insert or replace an alert."""
    plain: dict[str, Any] = {each.name: getattr(alert, each.name) for each in fields(Alert)}
    write.merge(AlertRow(**plain | {"figures": canonical(alert.figures).decode()}))
    write.flush()


def find(read: Read, alert_id: str) -> Alert | None:
    """Return one alert or None."""
    row = read.get(AlertRow, alert_id)
    return _alert(row) if row else None


def unresolved(read: Read) -> list[Alert]:
    """Return what is not over, the oldest first."""
    statement = select(AlertRow).where(col(AlertRow.resolved_at).is_(None)).order_by(col(AlertRow.fired_at))
    return [_alert(row) for row in read.all(statement)]


def resolved_since(read: Read, since: int) -> list[Alert]:
    """Return what was over since an instant, the latest first."""
    statement = select(AlertRow).where(col(AlertRow.resolved_at) >= since).order_by(col(AlertRow.resolved_at).desc())
    return [_alert(row) for row in read.all(statement)]


def listed(read: Read, *, start: int, end: int, audiences: Sequence[str], limit: int = 200) -> list[Alert]:
    """Return the alerts that were true within a range, the latest first."""
    statement = (
        select(AlertRow)
        .where(
            col(AlertRow.fired_at) < end,
            or_(col(AlertRow.resolved_at).is_(None), col(AlertRow.resolved_at) >= start),
            col(AlertRow.audience).in_(list(audiences)),
        )
        .order_by(col(AlertRow.fired_at).desc())
        .limit(limit)
    )
    return [_alert(row) for row in read.all(statement)]


def awaiting(read: Read, *, now: int, audiences: Sequence[str]) -> int:
    """Return how many fire, neither acknowledged nor silenced."""
    silenced = select(SilenceRow.fingerprint).where(col(SilenceRow.until) > now, col(SilenceRow.lifted_at).is_(None))
    statement = select(func.count()).where(
        col(AlertRow.resolved_at).is_(None),
        col(AlertRow.acked_at).is_(None),
        col(AlertRow.test).is_(False),
        col(AlertRow.audience).in_(list(audiences)),
        col(AlertRow.fingerprint).not_in(silenced),
    )
    return int(read.first(statement) or 0)


def silence(write: Write, made: Silence) -> None:
    """Insert or replace a silence."""
    write.merge(SilenceRow(**{each.name: getattr(made, each.name) for each in fields(Silence)}))
    write.flush()


def silences(read: Read, *, now: int) -> Mapping[str, Silence]:
    """Return the silences in force by fingerprint, of several the one that ends last."""
    statement = (
        select(SilenceRow)
        .where(col(SilenceRow.until) > now, col(SilenceRow.lifted_at).is_(None))
        .order_by(col(SilenceRow.until))
    )
    return {row.fingerprint: _silence(row) for row in read.all(statement)}


def silenced_since(read: Read, since: int) -> list[Silence]:
    """Return the silences that were made since an instant, the latest first."""
    statement = select(SilenceRow).where(col(SilenceRow.since) >= since).order_by(col(SilenceRow.since).desc())
    return [_silence(row) for row in read.all(statement)]


def forget(write: Write, *, before: int) -> int:
    """Delete what was over before an instant; return how many alerts."""
    write.execute(delete(SilenceRow).where(col(SilenceRow.until) < before))
    return int(write.execute(delete(AlertRow).where(col(AlertRow.resolved_at) < before)).rowcount)
