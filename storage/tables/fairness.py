"""Rows of fairness: what people say of themselves for audits alone, and the plans of audits."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


class SensitiveAttributeRow(SQLModel, table=True):
    """One sensitive attribute of one subject (a pseudonym); no decision ever reads it."""

    __tablename__ = "sensitive_attributes"
    subject: str = Field(primary_key=True)
    attribute: str = Field(primary_key=True, index=True)
    value: str
    source: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


class FairnessPlanRow(SQLModel, table=True):
    """A plan's current document, and the one before its last edit; ``etag`` is the digest of the current one."""

    __tablename__ = "fairness_plans"
    key: str = Field(primary_key=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    etag: str
    updated_at: int = Field(sa_column=Column(BigInteger, nullable=False))
