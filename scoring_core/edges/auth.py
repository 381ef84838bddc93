"""Who calls: bearer tokens against the principals that the replica last read."""

from collections.abc import Mapping
from hashlib import sha256

from scoring_core.edges.rest.problems import Refused
from storage.records.access import Principal, Scope

_PREFIX = "bearer "


class Door:
    """Lets callers in. ``principals`` maps a token's hash to its principal and is replaced as a whole."""

    def __init__(self) -> None:
        self.principals: Mapping[str, Principal] = {}

    def admit(self, authorization: bytes, scope: Scope) -> Principal:
        """Return the caller.

        Raises
        ------
        Refused
            401 without a valid token, 403 without the scope.
        """
        text = authorization.decode("latin-1")
        if text[:7].lower() != _PREFIX:
            raise Refused(401, "Send a token: Authorization: Bearer TOKEN.", reason="auth")
        principal = self.principals.get(sha256(text[7:].strip().encode()).hexdigest())
        if principal is None:
            raise Refused(401, "This token is unknown, expired or revoked.", reason="auth")
        if scope not in principal.scopes:
            raise Refused(403, f"This token does not carry the scope {scope.value}.", reason="scope")
        return principal
