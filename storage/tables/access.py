"""Rows about who may do what, and of what people are in the middle of."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


class RoleRow(SQLModel, table=True):
    """A role's current document, and the one before its last edit; ``etag`` is the digest of the current one."""

    __tablename__ = "roles"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    etag: str
    updated_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class TokenUseRow(SQLModel, table=True):
    """When a token last came in, to the minute."""

    __tablename__ = "token_uses"
    token_id: str = Field(primary_key=True)
    used_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class IdempotencyKeyRow(SQLModel, table=True):
    """A command that its caller named, so that it is done once: ``turn`` is the attempt that holds the name, ``done``
    is set in the transaction of its effect, and ``answer`` is sealed with a key that only the caller has."""

    __tablename__ = "idempotency_keys"
    name: str = Field(primary_key=True)
    fingerprint: str
    turn: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    done: bool = False
    status: int | None = None
    answer: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class DraftRow(SQLModel, table=True):
    """A form that one person has half filled; ``idempotency_key`` names the command that it will become."""

    __tablename__ = "drafts"
    person: str = Field(primary_key=True)
    form: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    idempotency_key: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
