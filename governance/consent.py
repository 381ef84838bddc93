"""Opt-outs and opt-ins: one consent row and one ledger entry, then the wait until every replica decides with it."""

from governance import rules
from governance.acknowledgement import Acknowledgements
from governance.book import Book, Deed, Matter
from governance.outcomes import Acknowledged
from governance.warrants import Warrant, require_reason
from storage import consent, ledger
from storage.database import Write
from storage.errors import Invalid, Problem
from storage.pseudonyms import Salts
from storage.records.access import Scope
from storage.records.consent import ConsentChange, ConsentState, Purpose

MAX_SUBJECT = 256
UNKNOWN = "unknown"
"""How the ledger names someone of whom there is no salt."""


class Consents:
    """What people agreed to, by raw id; raw ids go no further than this class.

    Parameters
    ----------
    book, salts, acknowledgements
        The ledger's transactions, the pseudonyms, and the wait for replicas.
    """

    def __init__(self, book: Book, salts: Salts, acknowledgements: Acknowledgements) -> None:
        self._book = book
        self._salts = salts
        self._acknowledgements = acknowledgements

    def _check(self, subject: str) -> None:
        if not 1 <= len(subject) <= MAX_SUBJECT:
            message = f"use 1 to {MAX_SUBJECT} characters"
            raise Invalid(f"subject: {message}", problems=(Problem(field="subject", message=message),))

    def _matter(self, action: str, pseudonym: str) -> Matter:
        """Name the subject by a commitment to the pseudonym: once its salt is gone, nobody can tie the entry to a
        person."""
        key = ledger.commitment(self._book.keys, pseudonym) if pseudonym else UNKNOWN
        return Matter(action=action, object_kind="subject", object_key=key)

    def record(
        self, subject: str, purpose: Purpose, state: ConsentState, warrant: Warrant, *, source: str
    ) -> Acknowledged:
        """Record what a raw subject said and wait for the replicas."""
        self._check(subject)
        action = "consent.opt_out" if state == "denied" else "consent.opt_in"
        may = warrant.by.may(Scope.CONSENT_WRITE)
        pseudonym = self._salts.resolve([subject])[subject] if may else self._salts.find(subject) or ""
        matter = self._matter(action, pseudonym)

        def body(write: Write, at: int) -> Deed[ConsentChange]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            change = consent.append(
                write,
                subject=pseudonym,
                purpose=purpose,
                state=state,
                reason=warrant.reason,
                source=source,
                actor=warrant.by.name,
                at=at,
            )
            after = {"purpose": purpose.value, "state": state, "epoch": change.epoch, "source": source}
            return Deed(answer=change, after=after)

        change, _seq = self._book.enter(matter, warrant, body)
        return self._acknowledgements.wait(change.epoch)

    def look_up(self, subject: str, warrant: Warrant) -> str | None:
        """Return the pseudonym of a raw subject for who may read what is kept of them; None for an unknown one."""
        self._check(subject)
        pseudonym = self._salts.find(subject)

        def body(_write: Write, _at: int) -> Deed[str | None]:
            rules.require_scope(warrant.by, Scope.DECISION_READ)
            require_reason(warrant)
            return Deed(answer=pseudonym, after={"known": pseudonym is not None})

        return self._book.enter(self._matter("subject.look_up", pseudonym or ""), warrant, body)[0]

    def history(self, subject: str, warrant: Warrant) -> list[ConsentChange]:
        """Look up what a raw subject said, oldest first; nothing is made of an unknown one but the ledger's entry."""
        self._check(subject)
        pseudonym = self._salts.find(subject)
        matter = self._matter("consent.look_up", pseudonym or "")

        def body(write: Write, _at: int) -> Deed[list[ConsentChange]]:
            rules.require_scope(warrant.by, Scope.CONSENT_READ)
            require_reason(warrant)
            found = consent.history(write, pseudonym) if pseudonym else []
            return Deed(answer=found, after={"changes": len(found)})

        return self._book.enter(matter, warrant, body)[0]
