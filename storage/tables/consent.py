"""Rows beside the consent record: wordings, what probes saw, violations."""

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False, index: bool = False, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=nullable, index=index)


class ConsentTextRow(SQLModel, table=True):
    """One immutable wording that people are asked with."""

    __tablename__ = "consent_texts"
    purpose: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    language: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    digest: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    author: str


class ConsentProbeRow(SQLModel, table=True):
    """What one replica answered to who had opted out."""

    __tablename__ = "consent_probes"
    at: int = Field(sa_column=_big(primary=True))
    replica: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    result: str
    reason: str
    decision_id: str
    epoch: int = Field(sa_column=_big())
    enforced_us: int | None = Field(default=None, sa_column=_big(nullable=True))


class ConsentViolationRow(SQLModel, table=True):
    """One decision that was personalized though its person had opted out; kept for good."""

    __tablename__ = "consent_violations"
    decision_id: str = Field(primary_key=True)
    detector: str = Field(primary_key=True)
    replica: str
    at: int = Field(sa_column=_big())
    found_at: int = Field(sa_column=_big(index=True))
    epoch: int = Field(sa_column=_big())
