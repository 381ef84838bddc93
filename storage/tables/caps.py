"""Rows of frequency caps."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


class CapRow(SQLModel, table=True):
    """A cap's current document, and the one before its last edit; ``etag`` is the digest of the current one."""

    __tablename__ = "caps"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    etag: str
    updated_at: int = Field(sa_column=Column(BigInteger, nullable=False))
