"""Requests of people about their own data: registered with their deadline, done or refused, each with a receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import uuid_utils

from governance import rules
from governance.book import Book, Deed, Matter
from governance.consent import MAX_SUBJECT, UNKNOWN
from governance.warrants import Warrant, require_reason
from storage import consent, erasure, ledger, profiles, subject_requests
from storage.database import Write
from storage.errors import Conflict, Invalid, NotFound, Problem
from storage.pseudonyms import Salts, lookup
from storage.records.access import Scope
from storage.records.clock import DAY, iso
from storage.records.profiles import Profile
from storage.records.requests import LONGER, MONTHS, RequestKind, RequestState, SubjectRequest, Traces, due
from storage.signed import sign

NOTHING_KEPT = "nothing is kept under this id: there is no salt that ties it to any record"
LONGEST_AGO = 30 * DAY
"""A request is registered at most so long after it came in."""


class Subjects:
    """Requests, by raw id; raw ids go no further than this class.

    Parameters
    ----------
    book, salts
        The ledger's transactions, and the pseudonyms.
    """

    def __init__(self, book: Book, salts: Salts) -> None:
        self.book = book
        self._salts = salts

    def known(self, subject: str) -> Traces | None:
        """Return what finds a raw subject, or None where nothing is kept under this id."""
        if not 1 <= len(subject) <= MAX_SUBJECT:
            message = f"use 1 to {MAX_SUBJECT} characters"
            raise Invalid(f"subject: {message}", problems=(Problem(field="subject", message=message),))
        pseudonym = self._salts.find(subject)
        if pseudonym is None:
            return None
        with self.book.database.read() as read:
            return erasure.traces(read, pseudonym, lookup(subject, self.book.keys.lookup))

    def commitment(self, known: Traces | None) -> str:
        """Return how ledger and receipts name a subject: by a commitment that tells nothing once the salt is gone."""
        return ledger.commitment(self.book.keys, known.subjects[0]) if known else UNKNOWN

    def register(
        self, subject: str, kind: RequestKind, warrant: Warrant, *, received_at: int | None = None
    ) -> SubjectRequest:
        """Take a request in; its time runs from when it was received. Where nothing is kept of the person it is
        answered at once.

        Raises
        ------
        Conflict
            If the same request of this person is open already.
        Invalid
            If it was received in the future, or over 30 days ago.
        """
        known = self.known(subject)
        matter = self._matter(f"subject.request.{kind}", known)

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            began = at if received_at is None else received_at
            if not at - LONGEST_AGO <= began <= at:
                message = "use a moment of the last 30 days"
                raise Invalid(f"received_at: {message}", problems=(Problem(field="received_at", message=message),))
            request = self.opened(write, kind, known, warrant, received_at=began, at=at)
            if known is None:
                request = self.answered(request, at, {"outcome": NOTHING_KEPT})
            subject_requests.save(write, request)
            return Deed(answer=request, after=_told(request))

        return self.book.enter(matter, warrant, body)[0]

    def do(
        self,
        subject: str,
        kind: RequestKind,
        warrant: Warrant,
        step: Mapping[str, Any],
        perform: Any,
    ) -> SubjectRequest:
        """Register a request and do it in the same transaction: ``perform(write, at, known, request_id)`` returns what
        the receipt adds to ``step``.

        Raises
        ------
        NotFound
            If nothing is kept of the person.
        """
        known = self.known(subject)
        matter = self._matter(f"subject.{kind}", known)

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            if known is None:
                raise NotFound(NOTHING_KEPT)
            request = self.opened(write, kind, known, warrant, received_at=at, at=at)
            done = {**step, **perform(write, at, known, request.request_id)}
            request = replace(self.answered(request, at, done), traces=Traces(), progress=done)
            subject_requests.save(write, request)
            return Deed(answer=request, after={**_told(request), **done})

        return self.book.enter(matter, warrant, body)[0]

    def extend(self, request_id: str, warrant: Warrant) -> SubjectRequest:
        """Take two months longer; the person must hear why within the first (GDPR 12(3))."""

        def change(request: SubjectRequest, at: int) -> SubjectRequest:
            if request.extension:
                raise Conflict("this request was extended already; there is no second time")
            if at > due(request.received_at):
                raise Conflict("the first month is over; it can no longer be extended")
            until = due(request.received_at, months=MONTHS + LONGER)
            return replace(request, due_at=until, extension=warrant.reason, updated_at=at)

        return self._move("subject.request.extend", request_id, warrant, change)

    def refuse(self, request_id: str, warrant: Warrant) -> SubjectRequest:
        """Turn a request down, with the reason that the person is told (GDPR 12(4))."""

        def change(request: SubjectRequest, at: int) -> SubjectRequest:
            if request.state != "open":
                raise Conflict("this request is being carried out")
            told = {"outcome": "refused", "why": warrant.reason, "remedy": "a complaint to a supervisory authority"}
            return self.answered(request, at, told, state="refused")

        return self._move("subject.request.refuse", request_id, warrant, change)

    def close(self, request_id: str, told: Mapping[str, Any], warrant: Warrant) -> SubjectRequest:
        """End an open request otherwise than by doing it, with what the receipt says of it."""

        def change(request: SubjectRequest, at: int) -> SubjectRequest:
            if request.state != "open":
                raise Conflict("this request is being carried out")
            return replace(self.answered(request, at, told), progress={**request.progress, **told})

        return self._move("subject.request.close", request_id, warrant, change)

    def finish(self, request: SubjectRequest, told: Mapping[str, Any], warrant: Warrant) -> SubjectRequest:
        """Note that a request was carried out; sign the receipt and forget what found the person."""
        matter = Matter(action=f"subject.{request.kind}.done", object_kind="subject", object_key=request.subject)

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            before = subject_requests.find(write, request.request_id)
            if before.state == "done":
                raise Conflict("this request was answered already")
            after = self.answered(replace(request, traces=Traces()), at, told)
            subject_requests.save(write, after)
            erasure.close_orders(write, request.request_id)
            return Deed(answer=after, before=_told(before), after={**_told(after), "receipt": after.receipt})

        return self.book.enter(matter, warrant, body)[0]

    def viewed(self, request_id: str, what: str, warrant: Warrant) -> SubjectRequest:
        """Enter that someone looked at a request's export or receipt; return the request."""
        with self.book.database.read() as read:
            request = subject_requests.find(read, request_id)
        matter = Matter(action=f"subject.{what}.view", object_kind="subject", object_key=request.subject)
        after = {"request_id": request_id}
        return self.book.enter(matter, warrant, lambda _write, _at: Deed(answer=request, after=after))[0]

    def note(self, action: str, what: Mapping[str, Any], warrant: Warrant) -> None:
        """Enter what was done to everyone's data at once."""
        matter = Matter(action=action, object_kind="data", object_key="")
        self.book.enter(matter, warrant, lambda _write, _at: Deed(answer=None, after=dict(what)))

    def summary(self, subject: str, warrant: Warrant) -> Mapping[str, Any]:
        """Look a person up: what they said, stated and asked for, never what they did; the look-up is in the ledger."""
        known = self.known(subject)

        def body(write: Write, _at: int) -> Deed[Mapping[str, Any]]:
            rules.require_scope(warrant.by, Scope.CONSENT_READ)
            require_reason(warrant)
            if known is None:
                return Deed(answer={"known": False, "requests": []}, after={"known": False})
            stated = profiles.stated(write, known.subjects[0])
            said = {change.purpose.value: change for change in consent.history(write, known.subjects[0])}
            answer = {
                "known": True,
                "subject": self.commitment(known),
                "visitors": len(known.subjects) - 1,
                "restricted_since": subject_requests.restricted(write).get(known.subjects[0]),
                "consent": said,
                "stated": Profile() if stated is None else stated.profile,
                "requests": subject_requests.listed(write, subject=self.commitment(known)),
            }
            return Deed(answer=answer, after={"known": True})

        return self.book.enter(self._matter("subject.look_up", known), warrant, body)[0]

    def answered(
        self, request: SubjectRequest, at: int, told: Mapping[str, Any], *, state: RequestState = "done"
    ) -> SubjectRequest:
        """Return a request with its signed receipt."""
        receipt = sign(
            {
                "document": f"subject.{request.kind}.receipt",
                "environment": self.book.environment,
                "request_id": request.request_id,
                "subject": request.subject,
                "received_at": iso(request.received_at),
                "due_at": iso(request.due_at),
                "answered_at": iso(at),
                **told,
            },
            self.book.keys,
        )
        return replace(request, state=state, done_at=at, updated_at=at, receipt=receipt, traces=Traces())

    def opened(
        self,
        write: Write,
        kind: RequestKind,
        known: Traces | None,
        warrant: Warrant,
        *,
        received_at: int,
        at: int,
    ) -> SubjectRequest:
        """Return a request as it is taken in.

        Raises
        ------
        Conflict
            If the same request of this person is open already.
        """
        subject = self.commitment(known)
        if known is not None:
            same = subject_requests.listed(write, states=subject_requests.OPEN, kind=kind, subject=subject, limit=1)
            if same:
                raise Conflict(f"the same request of this person is open already: {same[0].request_id}")
        return SubjectRequest(
            request_id=str(uuid_utils.uuid7()),
            kind=kind,
            state="open",
            subject=subject,
            actor=warrant.by.name,
            reason=warrant.reason,
            received_at=received_at,
            due_at=due(received_at),
            updated_at=at,
            traces=known or Traces(),
        )

    def _matter(self, action: str, known: Traces | None) -> Matter:
        return Matter(action=action, object_kind="subject", object_key=self.commitment(known))

    def _move(self, action: str, request_id: str, warrant: Warrant, change: Any) -> SubjectRequest:
        with self.book.database.read() as read:
            subject = subject_requests.find(read, request_id).subject

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            before = subject_requests.find(write, request_id)
            if before.state not in subject_requests.OPEN:
                raise Conflict(f"this request is {before.state}")
            after = subject_requests.save(write, change(before, at))
            return Deed(answer=after, before=_told(before), after=_told(after))

        return self.book.enter(Matter(action=action, object_kind="subject", object_key=subject), warrant, body)[0]


def _told(request: SubjectRequest) -> dict[str, Any]:
    """Return what the ledger says of a request."""
    names: Sequence[str] = ("request_id", "kind", "state", "received_at", "due_at")
    return {name: getattr(request, name) for name in names}
