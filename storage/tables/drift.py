"""Rows of drift: distributions by window, references, what each look found, and drift that somebody accepted."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel


def _big(*, primary: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=primary, autoincrement=False, nullable=False)


def _bytes(*, nullable: bool = False) -> Column[bytes]:
    return Column(LargeBinary, nullable=nullable)


class DriftWindowRow(SQLModel, table=True):
    """The distributions of one window's features, packed; ``family`` is ``decided`` or ``shown``."""

    __tablename__ = "drift_windows"
    surface: str = Field(primary_key=True)
    origin: str = Field(primary_key=True)
    family: str = Field(primary_key=True)
    start: int = Field(sa_column=_big(primary=True))
    end: int = Field(sa_column=_big())
    at: int = Field(sa_column=_big())
    rows: int
    packed: bytes = Field(sa_column=_bytes())


class DriftReferenceRow(SQLModel, table=True):
    """What a surface's windows are held against; ``decided`` and ``shown`` are packed once they are counted."""

    __tablename__ = "drift_references"
    surface: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_column=_big())
    author: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    document: bytes = Field(sa_column=_bytes())
    counted_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    decided: bytes | None = Field(default=None, sa_column=_bytes(nullable=True))
    shown: bytes | None = Field(default=None, sa_column=_bytes(nullable=True))


class DriftLookRow(SQLModel, table=True):
    """What one window showed against the reference of its time."""

    __tablename__ = "drift_looks"
    surface: str = Field(primary_key=True)
    origin: str = Field(primary_key=True)
    family: str = Field(primary_key=True)
    start: int = Field(sa_column=_big(primary=True))
    end: int = Field(sa_column=_big())
    at: int = Field(sa_column=_big())
    reference: int
    verdict: str
    sentence: str = Field(sa_column=Column(Text, nullable=False))
    features: bytes = Field(sa_column=_bytes())


class DriftAcceptanceRow(SQLModel, table=True):
    """Drift of one feature that somebody accepted, against one reference, until a moment."""

    __tablename__ = "drift_acceptances"
    surface: str = Field(primary_key=True)
    feature: str = Field(primary_key=True)
    reference: int
    author: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=_big())
    until: int = Field(sa_column=_big())
