"""Leaving nothing of some people in an event log: their entries, and those of their sessions that name nobody."""

from collections.abc import Collection
from dataclasses import dataclass

from storage.eventlog.protocol import EventLog
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.events import Entry, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """What went: how many entries, the sessions that they were of, and the decisions among them."""

    entries: int
    sessions: frozenset[str]
    decision_ids: tuple[str, ...]


def scrub(log: EventLog, subjects: Collection[str]) -> Scrubbed:
    """Erase the entries of some subjects, and what was done in their sessions before they were known or agreed. Blocks.

    Raises
    ------
    Unavailable, Full
        As the log's disk answers.
    """
    gone = log.erase(_bytes(subjects), lambda entry: _whose(entry)[0] in subjects)
    sessions = frozenset(session for _, session in map(_whose, gone) if session)
    if sessions:
        gone += log.erase(_bytes(sessions), lambda entry: _of_session(entry, sessions))
    made = [wire.decode(Decision, entry.payload) for entry in gone if entry.kind == "decision"]
    return Scrubbed(entries=len(gone), sessions=sessions, decision_ids=tuple(each.decision_id for each in made))


def _bytes(names: Collection[str]) -> list[bytes]:
    return [name.encode() for name in sorted(names)]


def _whose(entry: Entry) -> tuple[str | None, str | None]:
    """Return the subject and the session of an entry; of what names nobody, neither."""
    if entry.kind == "decision":
        decision = wire.decode(Decision, entry.payload)
        return decision.subject, decision.session
    if entry.kind == "event":
        event = wire.decode(Event, entry.payload)
        return event.subject, event.session
    return None, None


def _of_session(entry: Entry, sessions: frozenset[str]) -> bool:
    subject, session = _whose(entry)
    return subject is None and session in sessions
