"""Files of the lake written anew without some rows: of a person who is erased, or past their time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlmodel import col, delete, update

from storage.database import Database
from storage.duck import opened
from storage.files import wire
from storage.joins import Touched, touch
from storage.lake import Lake
from storage.parquet import SCHEMAS, Kind
from storage.records.requests import Traces
from storage.tables.observed import LakeFileRow

PERSONAL: tuple[Kind, ...] = ("decisions", "events")
NAMED: Mapping[Kind, str] = {"decisions": "decision_id", "events": "event_id"}

Goes = Callable[[pa.Table], pa.ChunkedArray]
"""Which rows of a file go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person's rows: in which files, how many by kind, from when on, what else names them, and the (campaign,
    15 minutes) whose counts they are part of."""

    files: tuple[str, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    first_at: int | None = None
    decision_ids: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    touched: frozenset[tuple[str, int]] = frozenset()


def every_file(lake: Lake, kind: Kind) -> list[Path]:
    """Return all files of a kind that are on the disk, in the manifest or not."""
    return sorted((lake.root / kind).glob("*/*.parquet"))


def scan(lake: Lake) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the views ``decisions`` and ``events`` over all files on the disk, each row with its
    ``filename``."""
    connection = opened(lake.root)
    for kind in PERSONAL:
        connection.register(f"no_{kind}", SCHEMAS[kind].empty_table())
        files, source = every_file(lake, kind), f"SELECT *, '' AS filename FROM no_{kind}"  # noqa: S608  # own names
        if files:
            names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
            source += f" UNION ALL BY NAME FROM read_parquet([{names}], union_by_name=true, filename=true)"
        connection.execute(f"CREATE VIEW {kind} AS {source}")
    return connection


def find(lake: Lake, known: Traces) -> Found:
    """Return a person's rows: under their pseudonyms, and in their sessions before they were known or agreed."""
    with scan(lake) as connection:
        connection.register("subjects", _column("subject", known.subjects))
        sessions = {
            session
            for kind in PERSONAL
            for (session,) in connection.execute(
                f"SELECT DISTINCT session FROM {kind} SEMI JOIN subjects USING (subject) WHERE session IS NOT NULL"  # noqa: S608  # own names
            ).fetchall()
        } | set(known.sessions)
        connection.register("sessions", _column("session", sorted(sessions)))
        files: dict[str, None] = {}
        rows: dict[str, int] = {}
        ids: set[str] = set()
        loose: Touched = set(known.touched)
        first: list[int] = []
        for kind in PERSONAL:
            connection.execute(
                f"CREATE TEMP TABLE mine_{kind} AS SELECT {NAMED[kind]} AS name, decision_id, campaign, "  # noqa: S608  # own names
                f'"at", filename FROM {kind} '
                "WHERE subject IN (FROM subjects) OR (subject IS NULL AND session IN (FROM sessions))"
            )
            mine = connection.execute(f'SELECT name, "at", filename FROM mine_{kind}').fetchall()  # noqa: S608  # own names
            files |= dict.fromkeys(Path(row[2]).relative_to(lake.root).as_posix() for row in mine)
            rows[kind] = len({row[0] for row in mine})  # what was compacted lies here twice for an hour
            first += [row[1] for row in mine]
            if kind == "decisions":
                ids |= {row[0] for row in mine}
            else:
                cells = connection.execute(
                    "SELECT DISTINCT coalesce(campaign, ''), \"at\" // 900000000 * 900000000 FROM mine_events"
                ).fetchall()
                loose |= set(cells)
        touched = touch(connection, ids, loose) if ids or loose else loose
    return Found(
        files=tuple(files),
        rows=rows,
        first_at=min(first, default=None),
        decision_ids=frozenset(ids),
        sessions=frozenset(sessions),
        touched=frozenset(touched),
    )


def of_person(subjects: Iterable[str], sessions: Iterable[str]) -> Goes:
    """Return which rows are a person's."""
    names, keys = pa.array(sorted(set(subjects)), pa.string()), pa.array(sorted(set(sessions)), pa.string())

    def goes(rows: pa.Table) -> pa.ChunkedArray:
        subject, session = rows["subject"], rows["session"]
        loose = pc.and_(pc.is_null(subject), pc.is_in(session, value_set=keys))
        return pc.or_(pc.is_in(subject, value_set=names), loose)

    return goes


def older_than(at: int, *, but: Iterable[str] = ()) -> Goes:
    """Return which rows are older than ``at``, those of some subjects excepted."""
    kept = pa.array(sorted(set(but)), pa.string())

    def goes(rows: pa.Table) -> pa.ChunkedArray:
        old = pc.less(rows["at"], at)
        if "subject" not in rows.column_names or not len(kept):
            return old
        return pc.and_(old, pc.invert(pc.is_in(rows["subject"], value_set=kept)))

    return goes


def rewrite(lake: Lake, database: Database, path: str, goes: Goes) -> int:
    """Write one file of the lake anew without the rows that go; return how many went.

    The file changes in one step under the same name; who has the old one open reads it to its end. One that nothing is
    left of leaves the manifest and the disk.

    Raises
    ------
    Full, Unavailable
        As the disk or the database answers.
    """
    place = lake.root / path
    with wire("the lake"):
        try:
            rows = pq.ParquetFile(place).read()
        except FileNotFoundError:
            return 0  # compacted and swept meanwhile; the next look finds its rows elsewhere
    mask = pc.fill_null(goes(rows), False)
    gone = int(pc.sum(mask).as_py() or 0)
    if not gone:
        return 0
    kept = rows.filter(pc.invert(mask))
    if not kept.num_rows:
        with database.write() as write:
            write.execute(delete(LakeFileRow).where(col(LakeFileRow.path) == path))
        place.unlink(missing_ok=True)
        return gone
    size, sha256 = lake.put(place, kept)
    bounds = pc.min_max(kept["at"]).as_py()
    changed = {"rows": kept.num_rows, "bytes": size, "sha256": sha256, "min_at": bounds["min"], "max_at": bounds["max"]}
    with database.write() as write:
        write.execute(update(LakeFileRow).where(col(LakeFileRow.path) == path).values(**changed))
    return gone


def holding(lake: Lake, needles: Sequence[str]) -> dict[str, int]:
    """Return the files on the disk of which some row, in whatever column of text, contains one of some texts."""
    found: dict[str, int] = {}
    with scan(lake) as connection:
        for kind in PERSONAL:
            texts = [name for name, type_ in _types(kind) if type_]
            row = "concat_ws(chr(0), " + ", ".join(f'"{name}"::VARCHAR' for name in texts) + ")"
            where = " OR ".join(f"contains({row}, ?)" for _ in needles) or "false"
            asked: Any = connection.execute(
                f"SELECT filename, count(*) FROM {kind} WHERE {where} GROUP BY 1",  # noqa: S608  # own names, bound values
                list(needles),
            )
            found |= {Path(name).relative_to(lake.root).as_posix(): int(count) for name, count in asked.fetchall()}
    return found


def _types(kind: Kind) -> list[tuple[str, bool]]:
    return [(each.name, not pa.types.is_binary(each.type)) for each in SCHEMAS[kind] if each.name != "at"]


def _column(name: str, values: Iterable[str]) -> pa.Table:
    return pa.table({name: pa.array(list(values), pa.string())})
