"""Who asks for a change of control state, why, and what they confirm."""

from dataclasses import dataclass

from storage.errors import Invalid, Problem
from storage.idempotency import Attempt
from storage.records.access import Principal, Scope

MIN_REASON = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """One caller's request to change something.

    Parameters
    ----------
    by
        The authenticated caller.
    reason
        Why, in at least ten characters; kept in the ledger.
    confirm
        The key of the object, typed again, for broad changes.
    etag
        The version of the object that the caller read; None where the caller names none.
    request_id
        The id of the HTTP request, kept in the ledger.
    attempt
        The attempt of a command that its caller named, so that it is done once; None where it has no name.
    """

    by: Principal
    reason: str = ""
    confirm: str = ""
    etag: str | None = None
    request_id: str = ""
    attempt: Attempt | None = None


def require_reason(warrant: Warrant) -> None:
    """Refuse a warrant without a reason.

    Raises
    ------
    Invalid
        Naming ``reason``, if it has fewer than ten characters.
    """
    if len(warrant.reason.strip()) < MIN_REASON:
        problem = Problem(field="reason", message=f"say why, in at least {MIN_REASON} characters")
        raise Invalid(f"reason: {problem.message}", problems=(problem,))


def system(name: str) -> Principal:
    """Return the principal of the product's own work, which has no token."""
    return Principal(name=name, role="service", scopes=frozenset(Scope), token_id="")
