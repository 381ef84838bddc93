"""Rows of people's requests: what was asked, what engines have to forget, who is restricted, what was erased."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False, index: bool = False, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=nullable, index=index)


class SubjectRequestRow(SQLModel, table=True):
    """One request of a person. ``subject`` is a keyed commitment to the pseudonym; ``traces`` (JSON) is what finds
    the person in the stores, there only while the request is worked on."""

    __tablename__ = "subject_requests"
    request_id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    state: str = Field(index=True)
    subject: str = Field(index=True)
    actor: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    received_at: int = Field(sa_column=_big(index=True))
    due_at: int = Field(sa_column=_big())
    extension: str = Field(default="", sa_column=Column(Text, nullable=False))
    updated_at: int = Field(sa_column=_big())
    done_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    traces: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    progress: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    receipt: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))


class OrderRow(SQLModel, table=True):
    """What every replica has to do about some pseudonyms, numbered in the order of commits; ``subjects`` joins them
    with commas and is emptied once it is done everywhere."""

    __tablename__ = "subject_orders"
    number: int = Field(sa_column=_big(primary=True))
    at: int = Field(sa_column=_big())
    kind: str
    request_id: str = Field(index=True)
    subjects: str = Field(default="", sa_column=Column(Text, nullable=False))


class RestrictionRow(SQLModel, table=True):
    """A subject of whom everything is kept and nothing is used; ``before`` (JSON) is what was granted till then."""

    __tablename__ = "restricted_subjects"
    subject: str = Field(primary_key=True)
    since: int = Field(sa_column=_big())
    request_id: str
    before: str = Field(default="[]", sa_column=Column(Text, nullable=False))


class TombstoneRow(SQLModel, table=True):
    """A decision whose record was erased, and the signature that says so."""

    __tablename__ = "decision_tombstones"
    decision_id: str = Field(primary_key=True)
    erased_at: int = Field(sa_column=_big())
    signature: str
