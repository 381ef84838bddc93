"""Who calls: bearer tokens against the principals that the replica last read."""

from collections.abc import Mapping
from hashlib import sha256

from scoring_core.edges.rest.problems import Refused
from storage.errors import FairleadError
from storage.passports import Passports, is_passport
from storage.records import clock
from storage.records.access import Principal, Scope
from storage.records.clock import MINUTE

_PREFIX = "bearer "
_REMEMBERED = 1_024
_PASSES_FOR = MINUTE
"""A passport is judged anew after so long: its key may be withdrawn."""


class Door:
    """Lets callers in. ``principals`` maps a token's hash to its principal and is replaced as a whole; until then a
    header that was let in once is not hashed again. ``passports`` judges tokens of an identity provider, where one is
    configured."""

    def __init__(self, passports: Passports | None = None) -> None:
        self.passports = passports
        self._used: dict[str, int] = {}
        self._passing: dict[bytes, tuple[Principal, int]] = {}
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

    def take_used(self) -> dict[str, int]:
        """Return when tokens came in, by id, since this was last asked."""
        used, self._used = self._used, {}
        return used

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
        token = text[7:].strip()
        if self.passports is not None and is_passport(token):
            return self._pass(self.passports, authorization, token)
        if self._principals is None:
            raise Refused(503, "This replica is not ready yet; try again.", reason="overload")
        principal = self._principals.get(sha256(token.encode()).hexdigest())
        if principal is None:
            raise Refused(401, "This token is unknown, expired or revoked.", reason="auth")
        self._used[principal.token_id] = clock.now()
        if len(self._known) < _REMEMBERED:
            self._known[authorization] = principal
        return principal

    def _pass(self, passports: Passports, authorization: bytes, token: str) -> Principal:
        """Judge a passport, at most once a minute; never kept beyond its end."""
        now = clock.now()
        principal, until = self._passing.get(authorization, (None, 0))
        if principal is not None and now < until:
            return principal
        try:
            principal, ends = passports.principal(token)
        except FairleadError as error:
            reason = {401: "auth", 403: "scope"}.get(error.status, "overload")
            raise Refused(error.status, f"{str(error).capitalize()}.", reason=reason, code=error.code) from None
        if len(self._passing) >= _REMEMBERED:
            self._passing.clear()
        self._passing[authorization] = (principal, min(ends, now + _PASSES_FOR))
        return principal
