"""Tokens, one-time login links and sessions."""

from collections.abc import Callable, Iterable, Mapping

from governance import rules
from governance.actions import found
from governance.book import Book, Deed, Matter
from governance.outcomes import Minted, Once
from governance.warrants import Warrant, require_reason
from storage import logins, roles, tokens
from storage.database import Read, Write
from storage.errors import Conflict, Forbidden, Invalid, Problem, Unauthenticated
from storage.records.access import Principal, Scope
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.roles import NEVER
from storage.tokens import Token

ONCE_FOR = 10 * MINUTE
SESSION_FOR = 12 * HOUR
KEPT_FOR = 7 * DAY
SESSION = "session:"
_ONCE = "once:"
_MAX_NAME = 128
_MARKS: Mapping[str, frozenset[Scope]] = {"service": frozenset({Scope.SIMULATE})}
"""What a token may carry beside its role: it marks what the token sends, and lets it do no more."""


def _named(field: str, text: str) -> None:
    if not 1 <= len(text.strip()) <= _MAX_NAME or not text.isprintable():
        message = f"use 1 to {_MAX_NAME} printable characters"
        raise Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))


def _ended(token: Token, before: int) -> bool:
    login = token.name.startswith((_ONCE, SESSION))
    return login and any(at is not None and at < before for at in (token.expires_at, token.revoked_at))


class Access:
    """Who holds which token.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def mint(
        self,
        *,
        name: str,
        principal: str,
        role: str,
        scopes: Iterable[str] | None,
        expires_in_s: int | None,
        warrant: Warrant,
    ) -> Minted:
        """Mint a token; the answer is the only place that ever holds its text."""
        _named("name", name)
        _named("principal", principal)
        if name.startswith((_ONCE, SESSION)):
            message = "this name is taken by logins"
            raise Invalid(f"name: {message}", problems=(Problem(field="name", message=message),))

        def body(write: Write, at: int) -> Deed[Minted]:
            rules.require_scope(warrant.by, Scope.ADMIN)
            require_reason(warrant)
            granted = self._granted(write, role, scopes, warrant.by)
            expires_at = None if expires_in_s is None else at + expires_in_s * SECOND
            return self._mint(
                write, name=name, principal=principal, role=role, scopes=granted, at=at, expires_at=expires_at
            )

        matter = Matter(action="token.mint", object_kind="token", object_key=name)
        return self._book.enter(matter, warrant, body)[0]

    def _granted(self, read: Read, role: str, scopes: Iterable[str] | None, by: Principal) -> tuple[str, ...]:
        """Return what a new token may: no more than its role, and no more than who mints it."""
        known = roles.grants(read)
        if role not in known:
            raise _wrong("role", "must be one of " + ", ".join(sorted(known)))
        asked = tuple(sorted(known[role] if scopes is None else set(scopes)))
        if set(asked) - set(Scope):
            raise _wrong("scopes", "unknown scope; known are " + ", ".join(sorted(Scope)))
        if beyond := {Scope(one) for one in asked} - known[role] - _MARKS.get(role, frozenset()):
            raise _wrong("scopes", f"the role {role} does not carry {', '.join(sorted(beyond))}")
        if beyond := {Scope(one) for one in asked} - by.scopes - NEVER:
            raise Forbidden(f"you cannot give what you do not have: {', '.join(sorted(beyond))}")
        return asked

    def _mint(
        self,
        write: Write,
        *,
        name: str,
        principal: str,
        role: str,
        scopes: Iterable[str],
        at: int,
        expires_at: int | None,
    ) -> Deed[Minted]:
        granted = tuple(sorted({str(scope) for scope in scopes}))
        token_id, text = tokens.mint(
            write, name=name, principal=principal, role=role, scopes=granted, now=at, expires_at=expires_at
        )
        minted = Minted(
            token_id=token_id, token=text, principal=principal, role=role, scopes=granted, expires_at=expires_at
        )
        after = {"name": name, "principal": principal, "role": role, "scopes": granted, "expires_at": expires_at}
        return Deed(answer=minted, after=after, object_key=token_id)

    def revoke(self, token_id: str, warrant: Warrant) -> None:
        """Revoke a token, with every login that came of it: a caller's own, or with the scope ``admin`` any."""

        def body(write: Write, at: int) -> Deed[None]:
            if token_id != warrant.by.token_id:
                rules.require_scope(warrant.by, Scope.ADMIN)
            require_reason(warrant)
            token = self._token(write, token_id)
            if token.revoked_at is not None:
                raise Conflict("this token is revoked already")
            heirs = {_ONCE + token_id, SESSION + token_id}
            logins_of_it = [one.token_id for one in tokens.listed(write) if one.name in heirs and not one.revoked_at]
            for one in (token_id, *logins_of_it):
                tokens.revoke(write, one, at)
            before = {"name": token.name, "principal": token.principal}
            return Deed(answer=None, before=before, after={"revoked_at": at, "logins": logins_of_it})

        self._book.enter(Matter(action="token.revoke", object_kind="token", object_key=token_id), warrant, body)

    def once(self, warrant: Warrant) -> Once:
        """Make a login link's secret for the caller; by itself it opens nothing."""

        def body(write: Write, at: int) -> Deed[Once]:
            if not warrant.by.token_id:
                raise Conflict("only the holder of a token can make a login link")
            deed = self._mint(
                write,
                name=_ONCE + warrant.by.token_id,
                principal=warrant.by.name,
                role=warrant.by.role,
                scopes=(),
                at=at,
                expires_at=at + ONCE_FOR,
            )
            once = Once(once=deed.answer.token, expires_at=at + ONCE_FOR)
            return Deed(answer=once, after={"expires_at": at + ONCE_FOR}, object_key=deed.object_key)

        return self._book.enter(Matter(action="login.link", object_kind="token", object_key=""), warrant, body)[0]

    def exchange(self, once: str, *, request_id: str = "") -> Minted:
        """Turn a login link's secret into a session of the same person with the same scopes, one time."""
        with self._book.database.read() as read:
            link, _issuer = self._link(read, once, self._book.now())
        by = Principal(name=link.principal, role=link.role, scopes=frozenset(), token_id=link.token_id)
        warrant = Warrant(by=by, reason="login by one-time link", request_id=request_id)

        def body(write: Write, at: int) -> Deed[Minted]:
            link, issuer = self._link(write, once, at)
            tokens.revoke(write, link.token_id, at)
            expires_at = min(at + SESSION_FOR, issuer.expires_at or at + SESSION_FOR)
            return self._mint(
                write,
                name=SESSION + issuer.token_id,
                principal=link.principal,
                role=link.role,
                scopes=issuer.scopes,
                at=at,
                expires_at=expires_at,
            )

        matter = Matter(action="login.session", object_kind="token", object_key=link.token_id)
        return self._book.enter(matter, warrant, body)[0]

    def forget_ended(self, warrant: Warrant, guard: Callable[[Read], None]) -> int:
        """Delete login links and sessions that ended over a week ago; return how many."""
        with self._book.database.read() as read:
            before = self._book.now() - KEPT_FOR
            ended = any(_ended(token, before) for token in tokens.listed(read))
        if not ended:
            return 0

        def body(write: Write, at: int) -> Deed[int]:
            guard(write)
            count = logins.forget_ended(write, before=at - KEPT_FOR)
            return Deed(answer=count, after={"forgotten": count})

        return self._book.enter(Matter(action="login.forget", object_kind="token", object_key=""), warrant, body)[0]

    def _token(self, read: Read, token_id: str) -> Token:
        known = {token.token_id: token for token in tokens.listed(read)}
        token: Token = found(known.get(token_id), "token")
        return token

    def _link(self, read: Read, once: str, now: int) -> tuple[Token, Token]:
        refusal = Unauthenticated("this login link is unknown, used or expired; ask for a new one")
        by = tokens.principals(read, now).get(tokens.hash_token(once))
        known = {token.token_id: token for token in tokens.listed(read)} if by else {}
        link = known.get(by.token_id) if by else None
        if link is None or not link.name.startswith(_ONCE):
            raise refusal
        issuer = known.get(link.name.removeprefix(_ONCE))
        if issuer is None or issuer.revoked_at is not None or (issuer.expires_at or now + 1) <= now:
            raise refusal
        return link, issuer
