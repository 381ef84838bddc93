"""What people do about alerts: acknowledge, silence with an end, close, test; each with a reason and an entry."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import uuid_utils

from governance import rules
from governance.actions import found
from governance.alerts import life
from governance.alerts.destinations import SETTING, Destination
from governance.alerts.kinds import KINDS, RIGHTS, audiences, kind_of
from governance.alerts.rounds import enqueue
from governance.book import Book, Deed, Matter
from governance.warrants import Warrant, require_reason
from storage import alerts
from storage.database import Read, Write
from storage.errors import Conflict, Invalid, NotFound, Problem
from storage.records.access import Scope
from storage.records.alerts import Alert, Silence
from storage.records.clock import HOUR, MINUTE

T = TypeVar("T")

LONGEST = 24 * HOUR
SACRED = HOUR
"""What concerns consent or the record is silenced for an hour at most."""


def longest(alert: Alert) -> int:
    """Return how long an alert may be silenced at most."""
    return SACRED if RIGHTS in {alert.cause, kind_of(alert.name).cause} else LONGEST


class Desk:
    """Where people answer alerts.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def acknowledge(self, alert_id: str, warrant: Warrant) -> Alert:
        """Say that somebody looks after it; nothing more is sent of it until it is over or becomes graver."""

        def change(_write: Write, alert: Alert, at: int) -> Alert:
            if alert.resolved_at is not None:
                raise Conflict("this alert is over")
            if alert.acked_at is not None:
                raise Conflict(f"{alert.acked_by} looks after this alert already")
            return replace(alert, acked_at=at, acked_by=warrant.by.name, acked_why=warrant.reason)

        return self._alter("alert.acknowledge", alert_id, warrant, change)

    def resolve(self, alert_id: str, warrant: Warrant) -> Alert:
        """Close it by hand. What is still true fires again, as a new one."""

        def change(_write: Write, alert: Alert, at: int) -> Alert:
            if alert.resolved_at is not None:
                raise Conflict("this alert is over")
            return life.closed(alert, warrant.reason, at, by=warrant.by.name)

        return self._alter("alert.resolve", alert_id, warrant, change)

    def silence(self, alert_id: str, minutes: int, warrant: Warrant) -> Silence:
        """Let nothing of this fingerprint be sent for so many minutes; it is shown all the same."""

        def body(write: Write, at: int) -> Deed[Silence]:
            alert = self._admitted(write, alert_id, warrant)
            most = longest(alert)
            if not 1 <= minutes <= most // MINUTE:
                message = f"an alert of {kind_of(alert.name).title} is silenced for 1 to {most // MINUTE} minutes"
                raise Invalid(f"minutes: {message}", problems=(Problem(field="minutes", message=message),))
            made = Silence(
                silence_id=str(uuid_utils.uuid7()),
                fingerprint=alert.fingerprint,
                since=at,
                until=at + minutes * MINUTE,
                by=warrant.by.name,
                reason=warrant.reason,
            )
            alerts.silence(write, made)
            return Deed(answer=made, after={"fingerprint": made.fingerprint, "until": made.until})

        return self._entered("alert.silence", alert_id, warrant, body)

    def lift(self, alert_id: str, warrant: Warrant) -> Silence:
        """End its silence now."""

        def body(write: Write, at: int) -> Deed[Silence]:
            alert = self._admitted(write, alert_id, warrant)
            held = alerts.silences(write, now=at).get(alert.fingerprint)
            if held is None:
                raise Conflict("nothing silences this alert")
            lifted = replace(held, lifted_at=at)
            alerts.silence(write, lifted)
            return Deed(answer=lifted, before={"until": held.until}, after={"lifted_at": at})

        return self._entered("alert.lift", alert_id, warrant, body)

    def test(self, name: str, destinations: Sequence[Destination], warrant: Warrant) -> Alert:
        """Send a marked test of a kind of alert to everyone who would be told; it is over at once.

        Raises
        ------
        Conflict
            If nobody would be told.
        """

        def body(write: Write, at: int) -> Deed[Alert]:
            rules.require_scope(warrant.by, Scope.ALERT_ANSWER)
            require_reason(warrant)
            kind = found(KINDS.get(name), "kind of alert")
            if kind.audience not in audiences(warrant.by):
                raise NotFound("no such kind of alert")
            alert = Alert(
                alert_id=str(uuid_utils.uuid7()),
                fingerprint=f"test:{name}",
                name=name,
                title=f"Test of {kind.title}",
                cause=kind.cause,
                audience=kind.audience,
                severity="look",
                sentence=f"A test sent by {warrant.by.name}. Nothing is wrong.",
                since=at,
                fired_at=at,
                seen_at=at,
                resolved_at=at,
                resolved_by=warrant.by.name,
                resolved_why=warrant.reason,
                test=True,
            )
            alerts.save(write, alert)
            sent = enqueue(write, alert, "test", destinations, now=at)
            if not sent:
                raise Conflict(
                    f"nobody would be told: no destination takes such alerts; set FAIRLEAD_{SETTING.upper()}"
                )
            to = [one.destination for one in sent]
            return Deed(answer=alert, after={"name": name, "destinations": to}, object_key=alert.alert_id)

        return self._entered("alert.test", name, warrant, body)

    def _admitted(self, read: Read, alert_id: str, warrant: Warrant) -> Alert:
        """Return an alert that the caller may answer; one that is not theirs to see does not exist for them."""
        rules.require_scope(warrant.by, Scope.ALERT_ANSWER)
        require_reason(warrant)
        alert: Alert = found(alerts.find(read, alert_id), "alert")
        if alert.audience not in audiences(warrant.by):
            raise NotFound("no such alert")
        return alert

    def _alter(
        self, action: str, alert_id: str, warrant: Warrant, change: Callable[[Write, Alert, int], Alert]
    ) -> Alert:
        def body(write: Write, at: int) -> Deed[Alert]:
            before = self._admitted(write, alert_id, warrant)
            after = change(write, before, at)
            alerts.save(write, after)
            told: dict[str, Any] = {"fingerprint": before.fingerprint, "since": before.since}
            return Deed(answer=after, before=told, after={"acked": after.acked_at, "resolved": after.resolved_at})

        return self._entered(action, alert_id, warrant, body)

    def _entered(self, action: str, key: str, warrant: Warrant, body: Callable[[Write, int], Deed[T]]) -> T:
        return self._book.enter(Matter(action=action, object_kind="alert", object_key=key), warrant, body)[0]
