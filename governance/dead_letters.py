"""Refused events that are sent again, once what they were refused for is mended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from governance.book import Book, Deed, Matter
from governance.warrants import Warrant, require_reason
from storage import dead_letters
from storage.database import Write
from storage.dead_letters import Letter
from storage.errors import NotFound

MOST = 500
"""So many are sent at once, the oldest first."""

Send = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """What came of it: how many were sent, how many of them are stored now, were there already, or were refused anew
    (those stand in the list again); how many cannot be sent, since what is kept of them is no whole event; and how many
    of the code are left."""

    code: str
    sent: int
    taken: int
    duplicates: int
    refused: int
    unreadable: int
    left: int


class DeadLetters:
    """Sends refused events to an engine again. They go without subject, session and properties, of which nothing is
    kept, so they are counted and reach nobody's profile.

    Parameters
    ----------
    book
        Where it is entered.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def requeue(self, code: str, send: Send, warrant: Warrant) -> Requeued:
        """Send the refused events of a code again, and forget them; an engine knows those it has by their ids, so that
        a run that broke off is begun again without counting anything twice.

        Raises
        ------
        NotFound
            If none of that code is kept.
        Unavailable
            If no engine takes them; nothing is forgotten then.
        """
        require_reason(warrant)
        with self._book.database.read() as read:
            found = dead_letters.of_code(read, code, limit=MOST)
        if not found:
            raise NotFound("no refused event of this code is kept")
        events = {letter: event for letter in found if (event := again(letter)) is not None}
        answer = send({"events": list(events.values())}) if events else {}
        done = tuple(events)

        def body(write: Write, _at: int) -> Deed[Requeued]:
            dead_letters.forget(write, done)
            told = _told(code, answer, sent=len(done), unreadable=len(found) - len(done))
            left = dead_letters.codes(write).get(code, 0)
            counted = Requeued(**told, left=left)
            return Deed(answer=counted, after={**told, "left": left})

        matter = Matter(action="dead_letters.requeue", object_kind="dead_letters", object_key=code)
        return self._book.enter(matter, warrant, body)[0]


def _told(code: str, answer: Mapping[str, Any], *, sent: int, unreadable: int) -> dict[str, Any]:
    return {
        "code": code,
        "sent": sent,
        "taken": int(answer.get("accepted", 0)),
        "duplicates": int(answer.get("duplicates", 0)),
        "refused": int(answer.get("dead_letters", 0)),
        "unreadable": unreadable,
    }


def again(letter: Letter) -> dict[str, Any] | None:
    """Return a refused event as it is sent again: under an id, and at the time at which it came unless it says its own;
    None where what is kept is no whole event.

    >>> kept = Letter(replica="e", log="l", seq=4, received_at=7, code="unknown_type", payload='{"type":"click"}')
    >>> again(kept)
    {'type': 'click', 'event_id': 'again-e-l-4', 'at': 7}
    """
    try:
        event = orjson.loads(letter.payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        return None
    named = event.get("event_id") or f"again-{letter.replica}-{letter.log}-{letter.seq}"
    return {**event, "event_id": named, "at": event.get("at") or letter.received_at}
