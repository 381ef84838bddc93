"""Bearer tokens: random, shown once, kept as a hash."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlmodel import col, select

from storage import roles
from storage.database import Read, Write
from storage.errors import Invalid, NotFound, Problem
from storage.records.access import ROLES, Principal, Scope
from storage.records.roles import NEVER
from storage.tables.control import TokenRow

PREFIX = "fl_"
"""How every token starts, so that a scanner finds a leaked one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its owner may see it again: never the secret, never the hash."""

    token_id: str
    name: str
    principal: str
    role: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def hash_token(text: str) -> str:
    """Return what is kept of a token. A plain SHA-256 is enough: the token holds 256 random bits.

    >>> len(hash_token("fl_example"))
    64
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def mint(
    write: Write,
    *,
    name: str,
    principal: str,
    role: str,
    scopes: Iterable[str],
    now: int,
    expires_at: int | None = None,
) -> tuple[str, str]:
    """Make a token; return its id and its text, which is not kept and cannot be shown again.

    Raises
    ------
    Invalid
        If a scope is none of the known ones.
    """
    asked = sorted({str(scope) for scope in scopes})
    known = {scope.value for scope in Scope}
    unknown = [scope for scope in asked if scope not in known]
    if unknown:
        message = "unknown scope; known are " + ", ".join(sorted(known))
        raise Invalid(f"scopes: {message}", problems=(Problem(field="scopes", message=message),))
    token_id = secrets.token_hex(8)
    plaintext = PREFIX + secrets.token_urlsafe(32)
    write.add(
        TokenRow(
            token_id=token_id,
            name=name,
            principal=principal,
            role=role,
            scopes=" ".join(asked),
            hash=hash_token(plaintext),
            created_at=now,
            expires_at=expires_at,
        )
    )
    write.flush()
    return token_id, plaintext


def principals(read: Read, now: int) -> dict[str, Principal]:
    """Return who may come in at ``now``, by the hash of their token; revoked and expired ones are absent. A token of
    one of the installation's own roles never does more than the role as it stands."""
    own = {stored.role.key: frozenset(stored.role.scopes) - NEVER for stored in roles.listed(read)}
    rows = read.all(select(TokenRow).where(col(TokenRow.revoked_at).is_(None)))
    return {
        row.hash: Principal(
            name=row.principal,
            role=row.role,
            scopes=_scopes(row.scopes) if row.role in ROLES else _scopes(row.scopes) & own.get(row.role, frozenset()),
            token_id=row.token_id,
        )
        for row in rows
        if row.expires_at is None or row.expires_at > now
    }


def revoke(write: Write, token_id: str, now: int) -> Token:
    """Revoke a token for good; revoking it again changes nothing.

    Raises
    ------
    NotFound
        If there is no such token.
    """
    row = write.get(TokenRow, token_id)
    if row is None:
        raise NotFound("no such token")
    if row.revoked_at is None:
        row.revoked_at = now
        write.add(row)
    return _token(row)


def listed(read: Read) -> list[Token]:
    """Return every token, newest first."""
    statement = select(TokenRow).order_by(col(TokenRow.created_at).desc(), TokenRow.token_id)
    return [_token(row) for row in read.all(statement)]


def _scopes(stored: str) -> frozenset[Scope]:
    """Return the known ones; a scope that this version does not know grants nothing."""
    return frozenset(scope for scope in Scope if scope.value in stored.split())


def _token(row: TokenRow) -> Token:
    return Token(
        token_id=row.token_id,
        name=row.name,
        principal=row.principal,
        role=row.role,
        scopes=tuple(row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
