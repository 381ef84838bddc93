"""Rows of people: what they stated, and whom a visitor turned out to be."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, SQLModel


class PersonChangeRow(SQLModel, table=True):
    """One change, numbered in the order of commits. ``stated``: ``document`` is the whole profile from then on.
    ``merged``: what was known of ``subject`` joined ``account``."""

    __tablename__ = "person_changes"
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    subject: str = Field(index=True)
    kind: str
    account: str = Field(default="", index=True)
    document: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
