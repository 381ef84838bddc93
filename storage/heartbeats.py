"""Heartbeats: when each scheduled task last ran and last succeeded; a clock that stops is itself an incident."""

from dataclasses import dataclass

from sqlmodel import select

from storage.database import Read, Write
from storage.records.clock import SECOND
from storage.tables.control import HeartbeatRow

_MISSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """One task: how often it should run, when it last ran and last succeeded, and what went wrong last, if anything."""

    name: str
    every_s: float
    last_run: int | None
    last_ok: int | None
    error: str

    def late(self, now: int) -> bool:
        """Tell whether three runs or more are missing."""
        return self.last_run is None or now - self.last_run > _MISSED * self.every_s * SECOND


def beat(write: Write, name: str, *, every_s: float, at: int, error: str = "") -> None:
    """Record that a task ran at ``at``; with an ``error`` its last success stays what it was."""
    before = write.get(HeartbeatRow, name)
    last_ok = (before.last_ok if before else None) if error else at
    write.merge(HeartbeatRow(name=name, every_s=every_s, last_run=at, last_ok=last_ok, error=error))


def heartbeats(read: Read) -> list[Heartbeat]:
    """Return every task's heartbeat, by name."""
    return [
        Heartbeat(name=row.name, every_s=row.every_s, last_run=row.last_run, last_ok=row.last_ok, error=row.error)
        for row in read.all(select(HeartbeatRow).order_by(HeartbeatRow.name))
    ]
