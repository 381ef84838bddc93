"""Who calls: bearer tokens against the principals that the replica last read."""

from collections.abc import Mapping
from hashlib import sha256

from scoring_core.edges.rest.problems import Refused
from storage.records.access import Principal, Scope

_PREFIX = "bearer "
_REMEMBERED = 1_024


class Door:
    """Lets callers in. ``principals`` maps a token's hash to its principal and is replaced as a whole; until then a
    header that was let in once is not hashed again."""

    def __init__(self) -> None:
        self._principals: Mapping[str, Principal] | None = None
        self._known: dict[bytes, Principal] = {}

    @property
    def principals(self) -> Mapping[str, Principal]:
        """Who may come in, by the hash of their token."""
        return self._principals or {}

    @principals.setter
    def principals(self, principals: Mapping[str, Principal]) -> None:
        self._principals = principals
        self._known = {}

    def admit(self, authorization: bytes, scope: Scope) -> Principal:
        """Return the caller.

        Raises
        ------
        Refused
            401 without a valid token, 403 without the scope, 503 while no tokens were read yet.
        """
        principal = self._known.get(authorization) or self._recognize(authorization)
        if scope not in principal.scopes:
            raise Refused(403, f"This token does not carry the scope {scope.value}.", reason="scope")
        return principal

    def _recognize(self, authorization: bytes) -> Principal:
        text = authorization.decode("latin-1")
        if text[:7].lower() != _PREFIX:
            raise Refused(401, "Send a token: Authorization: Bearer TOKEN.", reason="auth")
        if self._principals is None:
            raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
        principal = self._principals.get(sha256(text[7:].strip().encode()).hexdigest())
        if principal is None:
            raise Refused(401, "This token is unknown, expired or revoked.", reason="auth")
        if len(self._known) < _REMEMBERED:
            self._known[authorization] = principal
        return principal
