"""Opening one's own page: a link opens it once, the browser keeps it open for half an hour, leaving closes it."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from governance.book import Book, Deed, Matter
from governance.own.person import acting, end_user
from storage import ledger, links
from storage.database import Write
from storage.errors import Forbidden, Unauthenticated
from storage.links import Visit
from storage.records.clock import MINUTE

OPENED, CLOSED, OBJECT = "own.open", "own.close", "own"
_AGAIN = "this link was opened already, and each opens the page once; ask for a new one where you got it"
_OVER = "this page was left; ask for a new link where you got the last one"


class Visits:
    """Who has their own page open. The ledger alone remembers links, by a name that tells nobody's.

    Parameters
    ----------
    book
        The ledger's transactions.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def open(self, token: str, *, request_id: str = "") -> str:
        """Let a link open its page, once; return what the browser is to show from then on.

        Raises
        ------
        Unauthenticated
            If the link is forged, has ended, or was opened before.
        """
        subject = links.subject_of(self._book.keys, token, self._book.now())
        mark = links.mark_of(token)

        def body(write: Write, at: int) -> Deed[str]:
            if ledger.entries(write, action=OPENED, object_key=mark, start=at - links.LASTS - MINUTE, limit=1):
                raise Unauthenticated(_AGAIN)
            until: Mapping[str, Any] = {"until": at + links.STAYS}
            return Deed(answer=links.visit(self._book.keys, subject, mark, at), after=until)

        matter = Matter(action=OPENED, object_kind=OBJECT, object_key=mark)
        return self._book.enter(matter, acting(end_user(subject), request_id), body)[0]

    def of(self, shown: str) -> Visit:
        """Return whose page a browser has open.

        Raises
        ------
        Unauthenticated
            If it shows nothing of ours, its time is over, or it left.
        """
        now = self._book.now()
        visit = links.visit_of(self._book.keys, shown, now)
        with self._book.database.read() as read:
            since = now - links.STAYS - links.LASTS
            if ledger.entries(read, action=CLOSED, object_key=visit.mark, start=since, limit=1):
                raise Unauthenticated(_OVER)
        return visit

    def close(self, visit: Visit, *, request_id: str = "") -> None:
        """Let nobody open the page by this visit any more."""
        matter = Matter(action=CLOSED, object_kind=OBJECT, object_key=visit.mark)
        warrant = acting(end_user(visit.subject), request_id)
        self._book.enter(matter, warrant, lambda _write, _at: Deed(answer=None))

    def form_key(self, visit: Visit) -> str:
        """Return what every form of an open page carries: another site can neither read nor guess it."""
        key = self._book.keys.commitment
        return hmac.digest(key, b"own page, form of " + visit.mark.encode(), sha256).hex()[:32]

    def require_form(self, visit: Visit, sent: str) -> None:
        """Refuse what no form of this open page sent.

        Raises
        ------
        Forbidden
            With the remedy.
        """
        if not hmac.compare_digest(self.form_key(visit).encode(), sent.encode("utf-8", "surrogatepass")):
            raise Forbidden("this did not come from your open page; go back to it, load it again, and try once more")
