"""Tokens: shown once, kept as a hash, gone when revoked or expired."""

import re

import pytest
from sqlalchemy import text

from storage import tokens
from storage.database import Database
from storage.errors import Invalid, NotFound
from storage.records.access import Principal, Scope


def mint(database: Database, name: str = "app", *, expires_at: int | None = None, now: int = 10) -> tuple[str, str]:
    with database.write() as write:
        return tokens.mint(
            write,
            name=name,
            principal="ada",
            role="service",
            scopes=[Scope.EVENTS_WRITE, "decide", "decide"],
            now=now,
            expires_at=expires_at,
        )


def test_a_token_opens_with_its_scopes_and_is_nowhere_in_the_clear(database: Database) -> None:
    token_id, plaintext = mint(database)
    assert re.fullmatch(r"fl_[A-Za-z0-9_-]{43}", plaintext)
    with database.read() as read:
        assert tokens.principals(read, 11) == {
            tokens.hash_token(plaintext): Principal(
                name="ada", role="service", scopes=frozenset({Scope.DECIDE, Scope.EVENTS_WRITE}), token_id=token_id
            )
        }
        stored = repr(read.all(text("SELECT * FROM tokens"))) + repr(tokens.listed(read))
    assert plaintext not in stored
    assert plaintext[3:] not in stored


def test_a_revoked_or_expired_token_opens_nothing(database: Database) -> None:
    revoked, _ = mint(database)
    _, expiring = mint(database, expires_at=100)
    with database.write() as write:
        assert tokens.revoke(write, revoked, 50).revoked_at == 50
    with database.write() as write:
        assert tokens.revoke(write, revoked, 60).revoked_at == 50
    with database.read() as read:
        assert set(tokens.principals(read, 99)) == {tokens.hash_token(expiring)}
        assert tokens.principals(read, 100) == {}
        assert len(tokens.listed(read)) == 2


def test_the_list_is_newest_first_and_holds_no_secret(database: Database) -> None:
    mint(database, "old", now=1)
    token_id, _ = mint(database, "new", now=2, expires_at=9)
    with database.read() as read:
        listed = tokens.listed(read)
    assert [token.name for token in listed] == ["new", "old"]
    assert listed[0] == tokens.Token(
        token_id=token_id,
        name="new",
        principal="ada",
        role="service",
        scopes=("decide", "events:write"),
        created_at=2,
        expires_at=9,
        revoked_at=None,
    )


def test_what_is_unknown_is_refused(database: Database) -> None:
    with pytest.raises(Invalid, match="scopes"), database.write() as write:
        tokens.mint(write, name="x", principal="x", role="service", scopes=["decide", "<all>"], now=1)
    with pytest.raises(NotFound), database.write() as write:
        tokens.revoke(write, "nobody", 1)


def test_a_scope_of_another_version_grants_nothing(database: Database) -> None:
    mint(database)
    with database.write() as write:
        write.execute(text("UPDATE tokens SET scopes = 'decide from:the:future'"))
    with database.read() as read:
        (principal,) = tokens.principals(read, 11).values()
    assert principal.scopes == {Scope.DECIDE}
