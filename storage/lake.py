"""The lake: Parquet files named in a manifest, read with DuckDB."""

import glob
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlmodel import col, select

from storage.database import Read, Write
from storage.duck import opened
from storage.files import sync_folder, wire
from storage.parquet import SCHEMAS, Kind, record, table
from storage.records.clock import HOUR, MINUTE
from storage.records.decisions import Decision
from storage.records.events import Event, ItemEpoch
from storage.tables.observed import LakeFileRow
from storage.tables.requests import RestrictionRow
from storage.upserts import insert_new

GROUP_ROWS = 50_000


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


def _name(text: str) -> str:
    """Return a file name that no replica's or log's name can lead astray."""
    return quote(text, safe="").replace(".", "%2E")


def made_at(decision_id: str) -> int | None:
    """Return the microseconds that a UUIDv7 carries, None for any other id."""
    try:
        value = UUID(decision_id)
    except ValueError:
        return None
    return (value.int >> 80) * 1_000 if value.version == 7 else None


class Lake:
    """Decisions, events and item epochs below one folder. Readers see only files in the manifest.

    Parameters
    ----------
    root
        The lake's folder, made when the first file is staged.
    """

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

        ``seqs`` are the records' numbers in the log, ``from_seq``, ``from_seq + 1``, … when left out. Staging the same
        again replaces the file by its equal.

        Raises
        ------
        Full, Unavailable
            As the disk answers.
        """
        if isinstance(records, pa.Table):
            rows = records.cast(SCHEMAS[kind])
        else:
            numbers = range(from_seq, from_seq + len(records)) if seqs is None else seqs
            rows = table(kind, records, replica=replica, log=log, seqs=numbers)
        if not rows.num_rows:
            raise ValueError("a lake file holds at least one row")
        path = self.root / kind / _name(replica) / f"{_name(log)}-{from_seq:012d}-{to_seq:012d}.parquet"
        size, sha256 = self.put(path, rows)
        bounds = pc.min_max(rows["at"]).as_py()
        return LakeFile(
            path=path.relative_to(self.root).as_posix(),
            kind=kind,
            replica=replica,
            log=log,
            from_seq=from_seq,
            to_seq=to_seq,
            rows=rows.num_rows,
            bytes=size,
            min_at=bounds["min"],
            max_at=bounds["max"],
            origin=origin,
            sha256=sha256,
        )

    def put(self, path: Path, rows: pa.Table) -> tuple[int, str]:
        """Let a file of the lake hold these rows, in one step, synced with its folder; return its size and SHA-256.

        Raises
        ------
        Full, Unavailable
            As the disk answers; the file is then as it was.
        """
        partial = path.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}.partial")
        with wire("the lake"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                pq.write_table(rows, partial, compression="zstd", row_group_size=GROUP_ROWS)
                sync_folder(partial)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            for parent in (path.parent, path.parent.parent, self.root):
                sync_folder(parent)
            with path.open("rb") as file:
                return path.stat().st_size, file_digest(file, "sha256").hexdigest()

    def register(self, write: Write, lake_file: LakeFile, *, now: int) -> bool:
        """Add a staged file to the manifest; False when it already is there."""
        return insert_new(write, LakeFileRow, asdict(lake_file) | {"created_at": now})

    def files(
        self, read: Read, kind: Kind | None = None, *, start: int | None = None, end: int | None = None
    ) -> list[LakeFileRow]:
        """Return the manifest's files that hold rows in a range, oldest first."""
        statement = select(LakeFileRow).order_by(col(LakeFileRow.min_at), LakeFileRow.path)
        if kind is not None:
            statement = statement.where(LakeFileRow.kind == kind)
        if start is not None:
            statement = statement.where(LakeFileRow.max_at >= start)
        if end is not None:
            statement = statement.where(LakeFileRow.min_at < end)
        return list(read.all(statement))

    def connect(
        self,
        read: Read,
        *,
        start: int | None = None,
        end: int | None = None,
        staged: Iterable[LakeFile] = (),
        restricted: bool = False,
    ) -> duckdb.DuckDBPyConnection:
        """Open DuckDB with the views ``decisions``, ``events`` and ``epochs`` over the files of the manifest.

        Columns are the records' fields, plus ``log`` and ``seq`` (and ``replica``); maps are JSON strings, ``at`` is
        microseconds UTC (DuckDB reserves the word: write ``"at"``); ``start`` (included) and ``end`` (excluded) bound
        it. With no file the views are empty and typed. ``staged`` files are seen too: by the collector that is about
        to register them. Rows of
        restricted subjects are left out unless asked for: they are kept, and not used.
        """
        paths: dict[str, set[str]] = {kind: set() for kind in SCHEMAS}
        for row in self.files(read, start=start, end=end):
            paths[row.kind].add(row.path)
        for lake_file in staged:
            paths[lake_file.kind].add(lake_file.path)
        connection = opened(self.root)
        bounds = [f'"at" >= {int(start)}'] if start is not None else []
        bounds += [f'"at" < {int(end)}'] if end is not None else []
        hidden = [] if restricted else list(read.all(select(RestrictionRow.subject)))
        if hidden:
            connection.register("restricted", pa.table({"subject": pa.array(hidden, pa.string())}))
        for kind, schema in SCHEMAS.items():
            source = f"empty_{kind}"
            connection.register(source, schema.empty_table())  # columns that files of an older version do not have
            if paths[kind]:
                names = (glob.escape(str(self.root / path)).replace("'", "''") for path in sorted(paths[kind]))
                files = "read_parquet([" + ", ".join(f"'{name}'" for name in names) + "], union_by_name=true)"
                source = f"(FROM {source} UNION ALL BY NAME FROM {files})"
            used = ["(subject IS NULL OR subject NOT IN (FROM restricted))"] if hidden and kind != "epochs" else []
            where = f" WHERE {' AND '.join([*bounds, *used])}" if bounds or used else ""
            connection.execute(f"CREATE VIEW {kind} AS FROM {source}{where}")
        return connection

    def _select(
        self,
        read: Read,
        kind: Kind,
        clause: str,
        parameters: Sequence[Any],
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> list[Any]:
        with self.connect(read, start=start, end=end) as connection:
            columns = ", ".join(f'"{name}"' for name in SCHEMAS[kind].names)
            rows = connection.execute(f"SELECT {columns} FROM {kind} {clause}", list(parameters)).fetchall()  # noqa: S608  # own columns, bound values
        return [record(kind, dict(zip(SCHEMAS[kind].names, row, strict=True))) for row in rows]

    def decision(self, read: Read, decision_id: str) -> Decision | None:
        """Return one decision as it was recorded, or None."""
        made = made_at(decision_id)
        ranges = [(None, None)] if made is None else [(made - 10 * MINUTE, made + 10 * MINUTE), (None, None)]
        for start, end in ranges:
            found = self._select(
                read,
                "decisions",
                "WHERE decision_id = ? ORDER BY replica, log, seq LIMIT 1",
                [decision_id],
                start=start,
                end=end,
            )
            if found:
                return found[0]  # type: ignore[no-any-return]  # record("decisions", …) gives a Decision
        return None

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
        """Return decisions made in a range, newest first; ``campaign`` "" means those of no campaign."""
        wanted = {
            "coalesce(campaign, '') = ?": campaign,
            "list_contains(items, ?)": item,
            "subject = ?": subject,
        }
        asked = {clause: value for clause, value in wanted.items() if value is not None}
        where = f"WHERE {' AND '.join(asked)} " if asked else ""
        clause = f'{where}ORDER BY "at" DESC, decision_id DESC LIMIT ?'
        return self._select(read, "decisions", clause, [*asked.values(), limit], start=start, end=end)

    def outcomes(self, read: Read, decision_id: str) -> list[Event]:
        """Return every event that names a decision, in event time."""
        made = made_at(decision_id)
        start = None if made is None else made - HOUR
        return self._select(read, "events", 'WHERE decision_id = ? ORDER BY "at", event_id', [decision_id], start=start)

    def acts(self, read: Read, subject: str, *, limit: int) -> list[Event]:
        """Return the latest events of one subject, in the order in which they were taken in."""
        clause = "WHERE subject = ? AND stored = 'full' ORDER BY received_at DESC, log, seq DESC LIMIT ?"
        return self._select(read, "events", clause, [subject, limit])[::-1]

    def epochs(self, read: Read, *, replica: str, epoch: int) -> list[ItemEpoch]:
        """Return the last keyframe at or before an item-feature epoch of a replica and all deltas up to it."""
        latest = "SELECT max(epoch) FROM epochs WHERE replica = ? AND epoch <= ? AND keyframe"
        clause = f"WHERE replica = ? AND epoch <= ? AND epoch >= ({latest}) ORDER BY epoch"
        return self._select(read, "epochs", clause, [replica, epoch, replica, epoch])
