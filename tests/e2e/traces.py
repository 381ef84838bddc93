"""Looking for texts in everything a copy keeps, by other means than its own: bytes, archives, tables, columns, keys."""

import sqlite3
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import redis

from tests.e2e.installation import Copy


def found_in_copy(copy: Copy, needles: list[str]) -> list[str]:
    """Return where one of some texts stands in all that a copy keeps: its files, and the servers that it uses."""
    parts = [needle.encode() for needle in needles]
    places = found_in(copy.home, needles)
    servers = chain(_rows(copy.settings.get("FAIRLEAD_DATABASE_URL")), _keys(copy.settings.get("FAIRLEAD_REDIS_URL")))
    for place, content in servers:
        places += [f"{place}: {part.decode()}" for part in parts if part in content]
    return places


def _rows(url: str | None) -> Iterator[tuple[str, bytes]]:
    """Every table of a PostgreSQL, as its own copy command writes it."""
    if url is None:
        return
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT'.encode()) as rows:
                yield f"postgresql:{table}", b"".join(bytes(row) for row in rows)


def _keys(url: str | None) -> Iterator[tuple[str, bytes]]:
    """Every key of a Redis, with what it holds."""
    if url is None:
        return
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            assert kind == b"string", f"this search knows no keys like {key!r}, a {kind!r}"
            yield f"redis:{key!r}", key + (client.get(key) or b"")


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
