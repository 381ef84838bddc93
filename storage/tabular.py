"""Rows of a file that somebody else wrote: CSV, Parquet, JSON, or one JSON record per line."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from storage.errors import Invalid, NotFound

Row = tuple[int, Mapping[str, Any] | str]
"""Its number, the first being 1, and what it holds, or why it cannot be read."""

_BATCH = 10_000
_TYPES: Mapping[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
_MEDIA: Mapping[str, str] = {
    "text/csv": "csv",
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.apache.parquet": "parquet",
}


def format_of(name: str, media: str = "") -> str:
    """Tell a format by what the sender calls it, else by the name's ending.

    >>> format_of("items.tsv"), format_of("items", "application/json; charset=utf-8")
    ('csv', 'json')

    Raises
    ------
    Invalid
        If neither tells it.
    """
    found = _MEDIA.get(media.partition(";")[0].strip().lower()) or _TYPES.get(Path(name).suffix.lower())
    if found is None:
        raise Invalid("format: cannot be told from the name; say csv, parquet, json or ndjson")
    return found


def rows(path: Path, form: str, *, delimiter: str = ",", records: str = "") -> Iterator[Row]:
    """Yield the rows of a file; one that cannot be read by itself says why and stops nobody.

    Raises
    ------
    NotFound, Invalid
        If there is no such file, or it is not of the form it is said to be.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path.name} where the location points; put it there, or mend the location")
    return _READ[form](path, delimiter, records)


def _csv(path: Path, delimiter: str, _records: str) -> Iterator[Row]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" and delimiter == "," else delimiter
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            names = reader.fieldnames or []
            if len(set(names)) < len(names):
                raise Invalid("two columns of the file have the same name; rename one")
            for number, row in enumerate(reader, start=1):
                cells: dict[Any, Any] = row
                yield number, "has more values than the file has columns" if None in cells else row
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text; save it as UTF-8, or as Parquet") from None
    except csv.Error as error:
        raise Invalid(f"the file is no CSV with the delimiter {delimiter!r}: {error}") from None


def _parquet(path: Path, _delimiter: str, _records: str) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, OSError, ValueError):
        raise Invalid("the file is no readable Parquet file; write it anew") from None


def _json(path: Path, _delimiter: str, records: str) -> Iterator[Row]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise Invalid(f"the document is no valid JSON: {error.msg} at line {error.lineno}") from None
    for name in filter(None, records.split(".")):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise Invalid("records: there is no list of records there; name the path to it, such as data.items")
    for number, row in enumerate(found, start=1):
        yield number, row if isinstance(row, dict) else "is no JSON object"


def _ndjson(path: Path, _delimiter: str, _records: str) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError:
                    row = None
                yield number, row if isinstance(row, dict) else "is no JSON object on one line"


_READ: Mapping[str, Callable[[Path, str, str], Iterator[Row]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "ndjson": _ndjson,
}
