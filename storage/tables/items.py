"""Rows of the catalogue: items as they are, as they were, and what each sync brought."""

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel


class ItemRow(SQLModel, table=True):
    """One catalogue item; ordinals are never reused. ``source`` is the sync that last brought it, ``digest`` tells
    whether another document is the same."""

    __tablename__ = "items"
    item_id: str = Field(primary_key=True)
    ordinal: int = Field(unique=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    version: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    source: str = Field(default="", index=True)
    digest: str = ""
    hidden: bool = False


class ItemVersionRow(SQLModel, table=True):
    """An item as it was from catalogue version ``version`` on, until its next row."""

    __tablename__ = "item_versions"
    ordinal: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CatalogueVersionRow(SQLModel, table=True):
    """A catalogue version that can be rebuilt, since when it held, and how many items it changed."""

    __tablename__ = "catalogue_versions"
    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    items: int = Field(sa_column=Column(BigInteger, nullable=False))


class SyncRow(SQLModel, table=True):
    """One run of a catalogue sync and its report; ``refusals`` is a JSON list of rows with field and reason."""

    __tablename__ = "catalogue_syncs"
    run_id: str = Field(primary_key=True)
    name: str = Field(index=True)
    declared: str
    started_at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    finished_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    result: str
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    hidden: int = 0
    refused: int = 0
    refusals: str = Field(default="[]", sa_column=Column(Text, nullable=False))
    version: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    etag: str = Field(default="", sa_column=Column(Text, nullable=False))
    modified: str = ""
