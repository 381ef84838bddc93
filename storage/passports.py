"""Passports: tokens of an identity provider (OpenID Connect), judged by the keys that it publishes."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from storage.errors import Forbidden, Invalid, Problem, Unauthenticated, Unavailable
from storage.records import clock
from storage.records.access import ROLES, Principal
from storage.records.clock import HOUR, SECOND

log = structlog.get_logger(__name__)

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "Ed25519")
"""Signatures that a public key checks; never ``none``, never one with a shared secret."""
LEEWAY_S: Final = 30
OLDEST: Final = 12 * HOUR
"""A token issued longer ago is refused, whatever it says of its end: nobody can revoke it here."""
FRESH_S: Final = 300.0
SOONEST_S: Final = 10.0
"""Keys are read anew every five minutes, and for an unknown one at most so often."""
TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 1 << 20
RESERVED: Final = frozenset({"fairlead", "schedule", "control", "engine", "system"})
"""How the product names itself in the ledger; no person may bear such a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose passports hold, for whom they must be made out, and what they say of a person.

    ``name`` is the claim that names a person for good (four eyes go by it), ``groups`` the claim whose values ``roles``
    maps to ours; the first of ``roles`` that fits holds.
    """

    url: str
    audience: str
    name: str = "sub"
    groups: str = "groups"
    roles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an issuer that cannot be trusted, and roles that do not exist."""
        parts = urlsplit(self.url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or parts.scheme not in ({"https", "http"} if local else {"https"}):
            _refuse("oidc_issuer", "must be an https:// address")
        unknown = sorted(set(self.roles.values()) - (ROLES.keys() - {"end_user"}))
        if unknown:
            _refuse("oidc_roles", f"knows no role {', '.join(unknown)}; there are {', '.join(sorted(ROLES))}")


def _refuse(name: str, message: str) -> None:
    raise Invalid(f"{name}: {message}", problems=(Problem(field=name, message=message),))


def read_json(url: str) -> Mapping[str, Any]:
    """Return a JSON object from an address; no redirect is followed.

    Raises
    ------
    Unavailable
        Where there is none.
    """
    import httpx

    try:
        answer = httpx.get(url, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
        if answer.status_code == 200 and len(answer.content) <= MOST_BYTES:
            found = answer.json()
            if isinstance(found, dict):
                return found
    except (httpx.HTTPError, ValueError):
        pass
    raise Unavailable("the identity provider does not answer as OpenID Connect says")


class Passports:
    """Judges passports. Keys are read in a thread of its own, so that judging never waits.

    Parameters
    ----------
    issuer
        Whose passports hold.
    read
        How JSON is fetched.
    now
        The clock, microseconds UTC.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        read: Callable[[str], Mapping[str, Any]] = read_json,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self.issuer = issuer
        self._read = read
        self._now = now
        self._keys: Any = None
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="passports", daemon=True)

    def start(self) -> None:
        """Read the keys, and go on reading them; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._wanted.set()

    def refresh(self) -> None:
        """Read the provider's keys.

        Raises
        ------
        Unavailable
            If it does not answer, or names another issuer than itself.
        """
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        told = self._read(self.issuer.url.rstrip("/") + "/.well-known/openid-configuration")
        if str(told.get("issuer", "")).rstrip("/") != self.issuer.url.rstrip("/"):
            raise Unavailable("the identity provider names another issuer than FAIRLEAD_OIDC_ISSUER")
        published = self._read(str(told.get("jwks_uri", "")))
        keys = [each for each in published.get("keys", ()) if each.get("kty") != "oct" and each.get("use") != "enc"]
        try:
            self._keys = KeySet.import_key_set({"keys": keys}), str(told["issuer"])
        except (JoseError, ValueError, KeyError, TypeError):
            raise Unavailable("the identity provider publishes keys that cannot be read") from None

    def principal(self, token: str) -> tuple[Principal, int]:
        """Return whose passport this is, and until when it holds (microseconds UTC).

        Raises
        ------
        Unauthenticated
            If it is forged, expired, made out for others, or signed with an unknown key (which is then looked for).
        Forbidden
            If it is genuine, but none of its groups has a role here.
        Unavailable
            While the provider's keys were never read.
        """
        claims = self._claims(token)
        name = claims.get(self.issuer.name)
        if self.issuer.name == "email" and claims.get("email_verified") is not True:
            raise Unauthenticated("the identity provider does not vouch for this e-mail address")
        if not isinstance(name, str) or not 1 <= len(name) <= 128 or not name.isprintable():
            raise Unauthenticated(f"this token does not name a person by {self.issuer.name}")
        if name.split(":")[0] in RESERVED:
            raise Unauthenticated("this name belongs to the product itself")
        role = self._role(claims.get(self.issuer.groups))
        if role is None:
            raise Forbidden("you are known, but none of your groups has a role here; ask who runs this installation")
        mark = "oidc:" + sha256(token.encode()).hexdigest()[:16]
        name = name.casefold() if self.issuer.name == "email" else name
        return Principal(name=name, role=role, scopes=ROLES[role], token_id=mark), int(claims["exp"]) * SECOND

    def _role(self, said: Any) -> str | None:
        listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        groups = {each for each in listed if isinstance(each, str)}
        return next((role for group, role in self.issuer.roles.items() if group in groups), None)

    def _claims(self, token: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        if self._keys is None:
            self._wanted.set()
            raise Unavailable("the identity provider's keys were not read yet; try again")
        keys, issuer = self._keys
        refusal = Unauthenticated("this token is forged, expired, or made out for somebody else")
        try:
            found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            now = self._now() // SECOND
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=LEEWAY_S,
                iss={"essential": True, "value": issuer},
                aud={"essential": True, "value": self.issuer.audience},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            self._wanted.set()
            raise refusal from None
        issued = found.claims["iat"]
        if not isinstance(issued, int | float) or now - issued > OLDEST // SECOND:
            raise refusal
        claims: Mapping[str, Any] = found.claims
        return claims

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                self.refresh()
            except Unavailable as error:
                log.warning("the identity provider's keys could not be read", reason=str(error))
            self._wanted.clear()
            self._closed.wait(SOONEST_S if self._keys is not None else 1.0)
            self._wanted.wait(FRESH_S - SOONEST_S)


def is_passport(token: str) -> bool:
    """Tell a passport from a token of our own by its shape: three parts between dots.

    >>> is_passport("eyJh.eyJp.c2ln"), is_passport("fl_example")
    (True, False)
    """
    return token.count(".") == 2 and not token.startswith("fl_")
