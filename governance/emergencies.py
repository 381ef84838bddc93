"""Breaking the glass: half an hour in which one person may apply alone, and what is owed for it."""

from dataclasses import replace

import uuid_utils

from governance import rules
from governance.actions import found
from governance.book import Book, Deed, Matter
from governance.warrants import Warrant, require_reason
from storage import emergencies
from storage.database import Read, Write
from storage.errors import Conflict, Forbidden, Invalid, Problem
from storage.records.access import Scope
from storage.records.changes import Emergency
from storage.records.clock import MINUTE

LASTS = 30 * MINUTE


def running(read: Read, name: str, now: int) -> Emergency | None:
    """Return the emergency that a person has declared and that has not ended."""
    mine = rules.person(name)
    return next(
        (one for one in emergencies.unreviewed(read) if rules.person(one.principal) == mine and now < one.ends_at), None
    )


class Emergencies:
    """Declared by one person, looked at by another.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def declare(self, warrant: Warrant) -> Emergency:
        """Let the caller apply changes without approvals for half an hour, irreversible ones excepted.

        Raises
        ------
        Conflict
            While an earlier one of theirs was not looked at by somebody else.
        """

        def body(write: Write, at: int) -> Deed[Emergency]:
            rules.require_scope(warrant.by, Scope.EMERGENCY_OPEN)
            require_reason(warrant)
            if warrant.confirm != self._book.environment:
                message = "type the environment's name"
                raise Invalid(f"confirm: {message}", problems=(Problem(field="confirm", message=message),))
            mine = rules.person(warrant.by.name)
            if any(rules.person(one.principal) == mine for one in emergencies.unreviewed(write)):
                raise Conflict("your last emergency was not looked at yet; somebody else must, before another")
            emergency = Emergency(
                emergency_id=str(uuid_utils.uuid7()),
                principal=warrant.by.name,
                reason=warrant.reason,
                opened_at=at,
                ends_at=at + LASTS,
            )
            emergencies.save(write, emergency)
            after = {"ends_at": emergency.ends_at}
            return Deed(answer=emergency, after=after, object_key=emergency.emergency_id, four_eyes=False)

        matter = Matter(action="emergency.declare", object_kind="emergency", object_key="")
        return self._book.enter(matter, warrant, body)[0]

    def review(self, emergency_id: str, warrant: Warrant) -> Emergency:
        """Close an emergency with what somebody else found; the warrant's reason is the finding."""

        def body(write: Write, at: int) -> Deed[Emergency]:
            rules.require_scope(warrant.by, Scope.POLICY_APPROVE)
            require_reason(warrant)
            before: Emergency = found(emergencies.find(write, emergency_id), "emergency")
            if before.reviewed_at is not None:
                raise Conflict("this emergency was looked at already")
            if rules.person(before.principal) == rules.person(warrant.by.name) and not self._book.solo:
                raise Forbidden("somebody else looks at an emergency")
            after = replace(
                before,
                ends_at=min(before.ends_at, at),
                reviewed_by=warrant.by.name,
                reviewed_at=at,
                finding=warrant.reason,
            )
            emergencies.save(write, after)
            return Deed(answer=after, before={"deeds": before.deeds}, after={"deeds": after.deeds})

        matter = Matter(action="emergency.review", object_kind="emergency", object_key=emergency_id)
        return self._book.enter(matter, warrant, body)[0]
