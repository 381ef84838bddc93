"""What one person did: events from the lake, and from this replica's log what is not there yet."""

from collections.abc import Sequence

from sqlmodel import col, func, select

from storage import profiles
from storage.database import Database, Read
from storage.eventlog.protocol import EventLog
from storage.lake import Lake
from storage.records import wire
from storage.records.events import Event
from storage.records.profiles import PersonChange
from storage.tables.observed import LakeFileRow

PAGE = 5_000
MOST_ACTS = 20_000
"""Of longer histories the latest count."""


class Acts:
    """Reads histories. Every call blocks; call it on a thread."""

    def __init__(self, database: Database, lake: Lake, log: EventLog, *, replica: str) -> None:
        self._database = database
        self._lake = lake
        self._log = log
        self._replica = replica

    def of(self, subject: str) -> tuple[list[Event], list[PersonChange]]:
        """Return the events of a person in the order in which they were taken in, those of the visitors that turned out
        to be that person included, and what was stated and merged. Raises ``Unavailable``."""
        with self._database.read() as read:
            changes = profiles.history(read, subject)
            until = {subject: 2**62}
            for change in changes:
                if change.kind == "merged" and change.account == subject:
                    until[change.subject] = max(change.at, until.get(change.subject, 0))
            found = self._kept(read, list(until))
            found += self._waiting(self._landed(read), frozenset(until))
        once = {event.event_id: event for event in found if event.received_at <= until[event.subject or ""]}
        events = sorted(once.values(), key=lambda event: (event.received_at, event.event_id))
        return events[-MOST_ACTS:], changes

    def _kept(self, read: Read, subjects: Sequence[str]) -> list[Event]:
        return [event for subject in subjects for event in self._lake.acts(read, subject, limit=MOST_ACTS)]

    def _landed(self, read: Read) -> int:
        """Return the last number of this replica's log that the lake holds."""
        asked = select(func.max(col(LakeFileRow.to_seq))).where(
            LakeFileRow.replica == self._replica, LakeFileRow.log == self._log.log_id
        )
        return int(read.first(asked) or 0)

    def _waiting(self, after: int, subjects: frozenset[str]) -> list[Event]:
        found: list[Event] = []
        while page := self._log.read(after, PAGE):
            for entry in page:
                if entry.kind == "event":
                    event = wire.decode(Event, entry.payload)
                    if event.subject in subjects and event.stored == "full":
                        found.append(event)
            after = page[-1].seq
        return found
