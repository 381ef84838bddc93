"""Rows of figures of other firms."""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class BenchmarkRow(SQLModel, table=True):
    """One figure of an industry, as whoever brought it has it."""

    __tablename__ = "benchmarks"
    metric: str = Field(primary_key=True)
    industry: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    date: str
    value: float
    author: str
    added_at: int = Field(sa_column=Column(BigInteger, nullable=False))
