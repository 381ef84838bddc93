"""Whether anything is left of a person: every table, every file below the home folder, the lake row by row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, String, cast, func, literal
from sqlmodel import or_, select

from storage.database import Database
from storage.lake import Lake
from storage.rewriting import holding
from storage.tables import TABLES

WORKING = frozenset({("subject_requests", "traces"), ("subject_orders", "subjects")})
"""What names a person while their request is worked on, and is emptied at its end."""
_PART = 16 << 20
_SKIPPED = frozenset({"keys"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was looked through, and where something was found: a table's column or a file, and how often."""

    tables: int
    files: int
    bytes: int
    found: tuple[tuple[str, int], ...]
    unreadable: tuple[str, ...] = ()


def search(database: Database, lake: Lake, home: Path, needles: Sequence[str]) -> Search:
    """Look for texts in the database's every column, in the lake's every row, and in all other files byte by byte.

    Files of the lake are compressed, so that their rows are read instead of their bytes; the folder of keys holds
    nothing of people. What cannot be read is named: it is not known to be free of anything.

    Raises
    ------
    Unavailable
        If the database or the lake does not answer.
    """
    found = dict(_in_tables(database, needles))
    found |= {f"lake/{name}": count for name, count in holding(lake, needles).items()}
    files = size = 0
    unreadable: list[str] = []
    parts = [needle.encode("utf-8", "surrogatepass") for needle in needles]
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if not path.is_file() or name.parts[0] in _SKIPPED or path.suffix == ".parquet":
            continue
        try:
            length, count = in_file(path, parts)
        except FileNotFoundError:
            continue
        except OSError:
            unreadable.append(name.as_posix())
            continue
        files, size = files + 1, size + length
        if count:
            found[name.as_posix()] = count
    lake_files = [path for path in lake.root.rglob("*.parquet") if path.is_file()]
    return Search(
        tables=len(TABLES),
        files=files + len(lake_files),
        bytes=size + sum(path.stat().st_size for path in lake_files),
        found=tuple(sorted(found.items())),
        unreadable=tuple(unreadable),
    )


def in_file(path: Path, parts: Sequence[bytes]) -> tuple[int, int]:
    """Return how long a file is, and how often one of some byte strings stands in it."""
    longest = max((len(part) for part in parts), default=1)
    size = count = 0
    with path.open("rb") as file:
        before = b""
        while read := file.read(_PART):
            size += len(read)
            held = before + read
            for part in parts:
                count += held.count(part) - before.count(part)
            before = held[-(longest - 1) :] if longest > 1 else b""
    return size, count


def _in_tables(database: Database, needles: Iterable[str]) -> Iterator[tuple[str, int]]:
    texts = list(needles)
    sqlite = database.engine.dialect.name == "sqlite"
    with database.read() as read:
        for row in TABLES:
            table = row.__table__  # type: ignore[attr-defined]  # set on every mapped class
            for column in table.columns:
                kind = column.type.dialect_impl(database.engine.dialect)
                binary = isinstance(kind, LargeBinary)
                if (table.name, column.name) in WORKING or not (binary or _is_text(kind)):
                    continue
                hits = []
                for text in texts:
                    if sqlite:
                        sought = literal(text.encode() if binary else text)
                        hits.append(func.instr(column, sought) > 0)
                    elif binary:
                        hits.append(func.strpos(func.encode(column, "hex"), text.encode().hex()) > 0)
                    else:
                        hits.append(func.strpos(cast(column, String), text) > 0)
                if hits and (count := int(read.first(select(func.count()).select_from(table).where(or_(*hits))) or 0)):
                    yield f"{table.name}.{column.name}", count


def _is_text(kind: Any) -> bool:
    """Tell whether a column's type is text, decorated or not."""
    return isinstance(getattr(kind, "impl", kind), String)
