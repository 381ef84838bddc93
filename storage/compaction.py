"""Compaction of the lake: many small files become few; what left the manifest goes an hour later."""

import os
import time
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from sqlmodel import col, delete, select

from storage.database import Database
from storage.errors import Conflict
from storage.files import wire
from storage.lake import Lake, LakeFile
from storage.parquet import SCHEMAS
from storage.tables.observed import LakeFileRow

SMALL_ROWS = 50_000
MERGE_FROM = 8
GRACE_S = 3_600.0


def compact(lake: Lake, database: Database, *, now: int) -> int:
    """Merge runs of small neighbouring files into larger ones; return how many files went.

    A merged file holds the rows of one kind, replica and log, and takes their place in the manifest in one
    transaction. The old files stay on the disk for an hour, for readers that have opened them.

    Raises
    ------
    Conflict
        When another process merged the same files first; nothing is changed then.
    """
    with database.read() as read:
        rows = lake.files(read)
    gone = 0
    for group in _runs(rows):
        merged = _merge(lake, group)
        with database.write() as write:
            names = [row.path for row in group]
            left = write.execute(delete(LakeFileRow).where(col(LakeFileRow.path).in_(names))).rowcount
            if left != len(group) or not lake.register(write, merged, now=now):
                raise Conflict("another process merged these files of the lake first")
            for name in names:
                os.utime(lake.root / name)
        gone += len(group)
    return gone


def _merge(lake: Lake, group: Sequence[LakeFileRow]) -> LakeFile:
    first, origins = group[0], {row.origin for row in group}
    kind = first.kind
    with wire("the lake"):
        tables = [pq.read_table(lake.root / row.path, schema=SCHEMAS[kind]) for row in group]  # type: ignore[index]  # kinds come from LakeFile
    return lake.stage(
        kind,  # type: ignore[arg-type]  # kinds come from LakeFile
        replica=first.replica,
        log=first.log,
        from_seq=first.from_seq,
        to_seq=group[-1].to_seq,
        origin=origins.pop() if len(origins) == 1 else "mixed",
        records=pa.concat_tables(tables),
    )


def _runs(rows: Iterable[LakeFileRow]) -> list[list[LakeFileRow]]:
    """Group small files of one kind, replica and log, neighbours in the log, as long as a group stays small."""
    logs: dict[tuple[str, str, str], list[LakeFileRow]] = {}
    for row in rows:
        logs.setdefault((row.kind, row.replica, row.log), []).append(row)
    groups: list[list[LakeFileRow]] = []
    for files in logs.values():
        group: list[LakeFileRow] = []
        for row in sorted(files, key=lambda file: file.from_seq):
            if group and sum(file.rows for file in group) + row.rows > SMALL_ROWS:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
    return [group for group in groups if len(group) >= MERGE_FROM]


def sweep(lake: Lake, database: Database, *, wall_s: float | None = None) -> int:
    """Delete files that left the manifest, or never entered it, more than an hour ago; return how many."""
    with database.read() as read:
        known = set(read.all(select(LakeFileRow.path)))
    oldest = (time.time() if wall_s is None else wall_s) - GRACE_S
    gone = 0
    for path in lake.root.glob("*/*/*.p*"):
        if path.relative_to(lake.root).as_posix() not in known and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
