"""Looking for texts in everything a copy keeps, by other means than its own: bytes, archives, tables, columns."""

import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def found_in(home: Path, needles: list[str]) -> list[str]:
    """Return where one of some texts stands: in a file's bytes, an archive's member, a row of SQLite, a cell of the
    lake; nothing is said of keys, which hold nobody."""
    parts = [needle.encode() for needle in needles]
    found = []
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.relative_to(home).parts[0] == "keys":
            continue
        name = str(path.relative_to(home))
        for place, content in _contents(path):
            found += [f"{name}{place}: {part.decode()}" for part in parts if part in content]
    return found


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        yield "", path.read_bytes()
    except FileNotFoundError:
        return
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        for name in table.column_names:
            yield f"#{name}", repr(table[name].to_pylist()).encode()
    elif path.suffix in {".zip", ".whl"}:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                yield f"#{member}", archive.read(member)
    elif path.suffix == ".db":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                yield f"#{table}", repr(connection.execute(f"SELECT * FROM {table}").fetchall()).encode()
