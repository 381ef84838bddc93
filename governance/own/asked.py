"""What a person asks for on their own page: their data, their deletion, a look by a human."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import uuid_utils

from governance.book import Deed, Matter
from governance.control import Control
from governance.erasure import action_for
from governance.own.person import Person
from governance.portability import FORMAT, Exporting, packed, zipped
from governance.subjects import NOTHING_KEPT
from storage import changes, subject_requests
from storage.database import Database, Write
from storage.errors import Conflict, NotFound
from storage.records.changes import Change
from storage.records.requests import RequestKind, SubjectRequest, Traces, due

HANDED_OVER: Final = "handed over on the person's own page"
TAKEN_BACK: Final = "taken back by the person"
WAITING: Final = ("draft", "in_review", "approved", "scheduled")
"""The states of a change that can still be taken back."""
OF_INTEREST: Final[tuple[RequestKind, ...]] = ("erasure", "review", "access", "portability", "objection")
SHOWN: Final = 10


def traces_of(person: Person) -> Traces:
    """Return what finds a person.

    Raises
    ------
    NotFound
        If nothing is kept of them.
    """
    if person.known is None:
        raise NotFound(NOTHING_KEPT)
    return person.known


class Asked:
    """Requests of a person about themselves.

    Parameters
    ----------
    control, database
        What answers people's requests, and where they are kept.
    exporting
        What gathers all that is kept of a person.
    """

    def __init__(self, control: Control, database: Database, exporting: Exporting) -> None:
        self._control = control
        self._database = database
        self._exporting = exporting

    def listed(self, person: Person) -> list[SubjectRequest]:
        """Return what the person asked for lately, what waits first."""
        if person.known is None:
            return []
        with self._database.read() as read:
            found = subject_requests.listed(read, subject=self._control.subjects.commitment(person.known))
        return [one for one in found if one.kind in OF_INTEREST][:SHOWN]

    def restricted(self, person: Person) -> bool:
        """Tell whether everything of the person is kept and nothing used."""
        with self._database.read() as read:
            return person.known is not None and person.known.subjects[0] in subject_requests.restricted(read)

    def data(self, person: Person, interests: Sequence[Mapping[str, Any]]) -> tuple[str, bytes]:
        """Return the name and the bytes of a ZIP file of all that is kept of a person; that it was handed over stands
        in the ledger, with a signed receipt inside the file's list.

        Raises
        ------
        NotFound
            If nothing is kept of them.
        """
        known, at = traces_of(person), self._exporting.now()
        subjects = self._control.subjects
        draft = SubjectRequest(
            request_id=str(uuid_utils.uuid7()),
            kind="access",
            state="open",
            subject=subjects.commitment(known),
            actor=person.warrant.by.name,
            reason=person.warrant.reason,
            received_at=at,
            due_at=due(at),
            updated_at=at,
            traces=known,
        )
        sections = self._exporting.gather(draft, inferred=False) | {"interests": [dict(row) for row in interests]}
        whole = zipped(packed(sections, self._exporting.keys, draft, at=at))
        told = {
            "outcome": HANDED_OVER,
            "format": FORMAT,
            "rows": {name: len(rows) for name, rows in sections.items() if isinstance(rows, list)},
            "sha256": sha256(whole).hexdigest(),
        }

        def body(write: Write, moment: int) -> Deed[None]:
            subject_requests.save(write, replace(subjects.answered(draft, moment, told), progress=told))
            return Deed(answer=None, after={"request_id": draft.request_id, **told})

        matter = Matter(action="subject.access", object_kind="subject", object_key=draft.subject)
        subjects.book.enter(matter, person.warrant, body)
        return f"my-data-{draft.request_id}.zip", whole

    def deletion(self, person: Person) -> SubjectRequest:
        """Use nothing of the person from now on, and ask for their erasure: others approve it, as they do every one.

        Raises
        ------
        NotFound, Conflict
            If nothing is kept of them, or they asked already.
        """
        traces_of(person)
        warrant, control = person.warrant, self._control
        request = control.subjects.register(person.raw, "erasure", warrant)
        change = control.propose(action_for(request), request.request_id, {}, warrant)
        control.submit(change.change_id, warrant)
        if not self.restricted(person):
            control.rights.restrict(person.raw, warrant)
        return request

    def take_back(self, person: Person) -> None:
        """Take a deletion back while nobody carried it out; what had been allowed holds again.

        Raises
        ------
        NotFound, Conflict
            If there is none, or it is being carried out.
        """
        waiting = [one for one in self.listed(person) if one.kind == "erasure" and one.state in subject_requests.OPEN]
        if not waiting:
            raise NotFound("there is no deletion to take back")
        request = waiting[0]
        change = self.change_of(request)
        if request.state != "open":
            raise Conflict("the deletion is being carried out; it can no longer be taken back")
        if change is not None and change.state in WAITING:
            self._control.withdraw(change.change_id, person.warrant)
        self._control.subjects.close(request.request_id, {"outcome": TAKEN_BACK}, person.warrant)
        if self.restricted(person):
            self._control.rights.lift(person.raw, person.warrant)

    def change_of(self, request: SubjectRequest) -> Change | None:
        """Return the change that carries a request out, or None."""
        with self._database.read() as read:
            return next(iter(changes.listed(read, object_key=request.request_id, limit=1)), None)

    def receipt(self, request_id: str) -> SubjectRequest:
        """Return a deletion by its number, which only who asked for it was told.

        Raises
        ------
        NotFound
            If there is none.
        """
        with self._database.read() as read:
            found = subject_requests.find(read, request_id)
        if found.kind != "erasure":
            raise NotFound("no such request")
        return found
