"""Rows of what was seen: metric windows, heatmap cells, the lake's manifest, audits, dead letters."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=nullable, index=index)


class SeriesRow(SQLModel, table=True):
    """A metric with its labels (canonical JSON), numbered; ``edges`` (JSON) only for histograms."""

    __tablename__ = "metric_series"
    series_id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    labels: str
    kind: str
    edges: str = ""
    key: str = Field(unique=True)


class WindowRow(SQLModel, table=True):
    """A closed window of a tier (``t0`` 10 s, ``t1`` 1 min, ``t2`` 15 min, ``t3`` 1 day) of one replica and boot.

    ``covered_us`` counts the microseconds really observed; ``flags`` names what is wrong with it (gap, skew, coarse).
    """

    __tablename__ = "metric_windows"
    __table_args__ = (Index("ix_windows_tier_start", "tier", "start"),)
    tier: str = Field(primary_key=True)
    replica: str = Field(primary_key=True)
    boot_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary=True))
    start: int = Field(sa_column=_big())
    end: int = Field(sa_column=_big())
    covered_us: int = Field(sa_column=_big())
    flags: str = ""
    fence: int = Field(default=0, sa_column=_big())


class SampleRow(SQLModel, table=True):
    """What one series gained (counter), was (gauge) or gained per bucket (histogram, JSON counts) in one window."""

    __tablename__ = "metric_samples"
    __table_args__ = (Index("ix_samples_series_start", "series_id", "tier", "start"),)
    tier: str = Field(primary_key=True)
    replica: str = Field(primary_key=True)
    boot_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary=True))
    series_id: int = Field(primary_key=True)
    start: int = Field(sa_column=_big())
    value: float
    counts: str = ""
    low: float | None = None
    high: float | None = None
    samples: int = 1


class CellRow(SQLModel, table=True):
    """One heatmap cell of 15 minutes: ``cube`` is ``time``, ``position_item`` or ``segment``; ``a`` and ``b`` its
    coordinates. ``users`` is a K-minimum-values sketch of pseudonyms (8-byte hashes, at most 64), empty where people
    are unknown (``users_known`` false)."""

    __tablename__ = "cells"
    __table_args__ = (Index("ix_cells_cube_start", "cube", "start"),)
    campaign: str = Field(primary_key=True)
    start: int = Field(sa_column=_big(primary=True))
    cube: str = Field(primary_key=True)
    a: str = Field(primary_key=True, default="")
    b: str = Field(primary_key=True, default="")
    origin: str = Field(primary_key=True)
    decisions: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    hit_decisions: int = 0
    shown_decisions: int = 0
    model_decisions: int = 0
    users: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    users_known: bool = True
    last_at: int = Field(default=0, sa_column=_big())


class LakeFileRow(SQLModel, table=True):
    """One Parquet file that readers may read; its path is relative to the lake's root."""

    __tablename__ = "lake_files"
    path: str = Field(primary_key=True)
    kind: str = Field(index=True)
    replica: str
    log: str
    from_seq: int = Field(sa_column=_big())
    to_seq: int = Field(sa_column=_big())
    rows: int
    bytes: int = Field(sa_column=_big())
    min_at: int = Field(sa_column=_big())
    max_at: int = Field(sa_column=_big())
    origin: str
    sha256: str
    created_at: int = Field(sa_column=_big())


class CursorRow(SQLModel, table=True):
    """How far a reader has come."""

    __tablename__ = "cursors"
    name: str = Field(primary_key=True)
    value: str
    fence: int = Field(default=0, sa_column=_big())


class AuditRow(SQLModel, table=True):
    """One immutable audit run."""

    __tablename__ = "audits"
    audit_id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    job_id: str
    at: int = Field(sa_column=_big(index=True))
    verdict: str
    sentence: str = Field(sa_column=Column(Text, nullable=False))
    population: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    result: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    artifacts: str = "{}"


class DeadLetterRow(SQLModel, table=True):
    """An event that was refused, and why."""

    __tablename__ = "dead_letters"
    replica: str = Field(primary_key=True)
    log: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary=True))
    received_at: int = Field(sa_column=_big())
    event_id: str | None = None
    code: str
    field: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    payload: str = Field(sa_column=Column(Text, nullable=False))


class ImportRow(SQLModel, table=True):
    """One import of a data set: what came in, what was refused and why."""

    __tablename__ = "imports"
    name: str = Field(primary_key=True)
    at: int = Field(sa_column=_big())
    rows: int
    refused: int
    report: str
