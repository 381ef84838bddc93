"""Rows of segments: how large each was, hour by hour."""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class SegmentCountRow(SQLModel, table=True):
    """The last count of a segment in an hour; ``segment`` is empty for everyone. ``origins`` joins with commas."""

    __tablename__ = "segment_counts"
    hour: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    segment: str = Field(primary_key=True)
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    people: int
    confidence: float | None = None
    impressions: int = 0
    clicks: int = 0
    rate: float | None = None
    others: float | None = None
    low: float | None = None
    high: float | None = None
    origins: str = ""
