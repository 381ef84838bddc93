"""Rows of toggles, of cards, and of emergencies."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel


class ToggleRow(SQLModel, table=True):
    """A toggle's current document, and the one before its last edit; ``etag`` is the digest of the current one."""

    __tablename__ = "toggles"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    etag: str
    updated_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class CardRow(SQLModel, table=True):
    """What is said of one version of a policy or a model: what somebody wrote, and the facts as they then were."""

    __tablename__ = "cards"
    object_kind: str = Field(primary_key=True)
    object_key: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    card: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    facts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    etag: str
    written_by: str
    updated_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class EmergencyRow(SQLModel, table=True):
    """Half an hour in which one person may apply without a second one, and who looked at it afterwards."""

    __tablename__ = "emergencies"
    emergency_id: str = Field(primary_key=True)
    principal: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ends_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    deeds: str = Field(default="[]", sa_column=Column(Text, nullable=False))
    reviewed_by: str = ""
    reviewed_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    finding: str = Field(default="", sa_column=Column(Text, nullable=False))
