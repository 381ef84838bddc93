"""A person asks that somebody looks at what was decided automatically (GDPR 22(3)), and is told what came of it."""

from dataclasses import replace
from typing import Final

from governance import rules
from governance.book import Deed, Matter
from governance.subjects import NOTHING_KEPT, Subjects
from governance.warrants import Warrant, require_reason
from storage import subject_requests
from storage.database import Write
from storage.errors import Conflict, Invalid, NotFound, Problem
from storage.records.access import Scope
from storage.records.requests import SubjectRequest, Traces

MOST_SAID: Final = 1_000


class Reviews:
    """Requests for a review by a person.

    Parameters
    ----------
    subjects
        People's requests.
    """

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._book = subjects.book

    def ask(self, subject: str, said: str, decision_id: str, warrant: Warrant) -> SubjectRequest:
        """Take in what a person wants to be looked at: their words stand in the request, never in the ledger, and go
        with them when they are erased.

        Raises
        ------
        NotFound
            If nothing is kept of the person.
        Conflict
            If they asked already and were not answered yet.
        """
        if len(said) > MOST_SAID:
            message = f"use at most {MOST_SAID} characters"
            raise Invalid(f"said: {message}", problems=(Problem(field="said", message=message),))
        known = self._subjects.known(subject)
        if known is None:
            raise NotFound(NOTHING_KEPT)

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            opened = self._subjects.opened(write, "review", known, warrant, received_at=at, at=at)
            progress = {name: value for name, value in (("said", said), ("decision_id", decision_id)) if value}
            request = subject_requests.save(write, replace(opened, traces=Traces(), progress=progress))
            after = {"request_id": request.request_id, "kind": request.kind, "due_at": request.due_at}
            return Deed(answer=request, after=after)

        key = self._subjects.commitment(known)
        return self._book.enter(Matter(action="subject.review", object_kind="subject", object_key=key), warrant, body)[
            0
        ]

    def answer(self, request_id: str, warrant: Warrant) -> SubjectRequest:
        """Tell the person what came of it: the warrant's reason is what they read.

        Raises
        ------
        Conflict
            If this is no request for a review, or it was answered already.
        """
        with self._book.database.read() as read:
            subject = subject_requests.find(read, request_id).subject

        def body(write: Write, at: int) -> Deed[SubjectRequest]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            before = subject_requests.find(write, request_id)
            if before.kind != "review" or before.state != "open":
                raise Conflict("this is no request for a review that waits for an answer")
            told = {"outcome": "reviewed by a person", "answer": warrant.reason}
            after = replace(self._subjects.answered(before, at, told), progress={**before.progress, **told})
            subject_requests.save(write, after)
            told_of = {"request_id": request_id, "kind": after.kind, "state": after.state}
            return Deed(answer=after, before={"state": before.state}, after=told_of)

        matter = Matter(action="subject.review.answer", object_kind="subject", object_key=subject)
        return self._book.enter(matter, warrant, body)[0]
