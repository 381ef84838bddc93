"""Rows of checks: each stretch of time in which a check said the same."""

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel


class CheckVerdictRow(SQLModel, table=True):
    """One verdict from ``since`` to ``seen``."""

    __tablename__ = "check_verdicts"
    name: str = Field(primary_key=True)
    since: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seen: int = Field(sa_column=Column(BigInteger, nullable=False))
    verdict: str
    sentence: str = Field(sa_column=Column(Text, nullable=False))
    figures: str = Field(sa_column=Column(Text, nullable=False))
