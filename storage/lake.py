"""The lake: Parquet files named in a manifest, read with DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from storage.database import Database, Read, Write
from storage.records.decisions import Decision
from storage.records.events import Event, ItemEpoch

Kind = Literal["decisions", "events", "epochs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeFile:
    """A Parquet file that is on the disk for good, not yet visible to readers. ``path`` is relative to the lake."""

    path: str
    kind: Kind
    replica: str
    log: str
    from_seq: int
    to_seq: int
    rows: int
    bytes: int
    min_at: int
    max_at: int
    origin: str
    sha256: str


class Lake:
    """Decisions, events and item epochs below one folder. Readers see only files in the manifest."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def stage(
        self,
        kind: Kind,
        *,
        replica: str,
        log: str,
        from_seq: int,
        to_seq: int,
        origin: str,
        records: Sequence[Any] | pa.Table,
        seqs: Sequence[int] | None = None,
    ) -> LakeFile:
        """Write records (or a table of the kind's very schema) as one file, synced with its folder; no manifest row.

        Raises
        ------
        Full, Unavailable
            As the disk answers.
        """
        raise NotImplementedError

    def register(self, write: Write, lake_file: LakeFile, *, now: int) -> bool:
        """Add a staged file to the manifest; False when it already is there."""
        raise NotImplementedError

    def connect(self, read: Read, *, start: int | None = None, end: int | None = None) -> duckdb.DuckDBPyConnection:
        """Open DuckDB with the views ``decisions``, ``events`` and ``epochs`` over the files of the manifest.

        Columns are the records' fields, plus ``log`` and ``seq`` (and ``replica``); maps are JSON strings, ``at`` is
        microseconds UTC; ``start`` and ``end`` bound ``at``. With no file the views are empty and typed.
        """
        raise NotImplementedError

    def decision(self, read: Read, decision_id: str) -> Decision | None:
        """Return one decision as it was recorded, or None."""
        raise NotImplementedError

    def decisions(
        self,
        read: Read,
        *,
        start: int,
        end: int,
        campaign: str | None = None,
        item: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> list[Decision]:
        """Return decisions made in a range, newest first."""
        raise NotImplementedError

    def outcomes(self, read: Read, decision_id: str) -> list[Event]:
        """Return every event that names a decision, in event time."""
        raise NotImplementedError

    def epochs(self, read: Read, *, replica: str, epoch: int) -> list[ItemEpoch]:
        """Return the keyframe at or before an item-feature epoch of a replica and all deltas up to it."""
        raise NotImplementedError

    def compact(self, database: Database, *, now: int) -> int:
        """Merge small neighbouring files of closed hours; return how many files went. Readers lose nothing."""
        raise NotImplementedError

    def sweep(self, database: Database, *, now: int) -> int:
        """Delete files that left the manifest, or never entered it, more than an hour ago; return how many."""
        raise NotImplementedError
