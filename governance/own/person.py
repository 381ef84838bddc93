"""Who reads their own page, and the warrant by which they act for themselves and nobody else."""

from dataclasses import dataclass, replace
from typing import Final

from governance.warrants import Warrant
from storage.records.access import ROLES, Principal, Scope
from storage.records.requests import Traces

REASON: Final = "said by the person themselves, on their own page"
SOURCE: Final = "own_page"
NAME: Final = "end_user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person: the raw id that their link names, what finds them in the stores (None: nothing is kept), and the
    warrant of what they do."""

    raw: str
    known: Traces | None
    warrant: Warrant


def end_user(subject: str) -> Principal:
    """Return the principal of a link: it may see and say what concerns ``subject``, and nothing else."""
    return Principal(name=NAME, role=NAME, scopes=ROLES[NAME], token_id="", subject=subject)


def acting(by: Principal, request_id: str = "") -> Warrant:
    """Return the warrant by which a person acts for themselves: as who answers people's requests would, on them
    alone."""
    scopes = by.scopes | {Scope.CONSENT_READ, Scope.CONSENT_WRITE}
    return Warrant(by=replace(by, scopes=scopes), reason=REASON, request_id=request_id)
