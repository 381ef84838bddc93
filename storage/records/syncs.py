"""Catalogue syncs: where items come from, how their columns are read, and what one run did."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from storage.errors import Problem
from storage.records.document import document

SyncSource = Literal["file", "sql", "http"]
SyncFormat = Literal["auto", "csv", "parquet", "json", "ndjson"]
SyncResult = Literal["ok", "unchanged", "failed"]

SECRET = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
"""``${NAME}`` stands for the environment's ``FAIRLEAD_SECRET_NAME``, read when the sync runs."""


@document
class ItemMapping:
    """Which column of the source is which field of the item; an empty name leaves the field out. Of JSON records
    ``a.b`` reaches into objects.

    ``attributes`` maps attribute names to columns; empty takes every column that is nothing else, under its own name.
    ``numbers`` and ``texts`` name attributes that are always read as such (an article number such as 0042 is a text).
    ``tags`` are columns whose values, split at ``separator``, are tags; ``kind_value`` is the kind where no column
    tells it. Times are RFC 3339, or a number of seconds, milliseconds or microseconds since 1970.
    """

    item_id: str = "item_id"
    title: str = "title"
    text: str = ""
    kind: str = ""
    kind_value: str = "item"
    tags: tuple[str, ...] = ()
    separator: Annotated[str, Field(min_length=1, max_length=4)] = "|"
    attributes: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    hidden: str = ""
    stock: str = ""
    created_at: str = ""
    expires_at: str = ""
    vectors: Mapping[str, str] = field(default_factory=dict)


@document
class CatalogueSync:
    """One source of items, read every ``every_s`` seconds.

    ``location`` is a path (below the home folder, or absolute), an SQLAlchemy URL, or an http(s) URL; secrets in it and
    in ``headers`` are written ``${NAME}``. ``query`` is the statement of an SQL source, ``records`` the path to the
    list in a JSON document. ``vanished`` says what becomes of items that this sync brought and that are no longer
    there; if that would hide more than the share ``hide_at_most`` of them, the run fails instead: a source that lost
    half its rows is more likely broken.
    """

    source: SyncSource
    location: str
    query: str = ""
    format: SyncFormat = "auto"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    records: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    mapping: ItemMapping = field(default_factory=ItemMapping)
    every_s: Annotated[int, Field(ge=5, le=7 * 86_400)] = 300
    vanished: Literal["hide", "leave"] = "leave"
    hide_at_most: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 60
    most_mb: Annotated[int, Field(ge=1, le=4_096)] = 512
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not taken: its number in the source (the first record is 1), the field, the reason."""

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """What one run did, in items; ``version`` is the catalogue's version afterwards. ``refusals`` are the first of the
    ``refused`` rows. ``declared`` is the digest of the declaration; ``etag`` and ``modified`` are what an HTTP source
    said of its content."""

    run_id: str
    name: str
    declared: str
    started_at: int
    finished_at: int
    result: SyncResult
    note: str = ""
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    hidden: int = 0
    refused: int = 0
    refusals: tuple[Refusal, ...] = ()
    version: int = 0
    etag: str = ""
    modified: str = ""


def sync_problems(sync: CatalogueSync) -> Iterator[Problem]:
    """Yield what is wrong with a declaration.

    >>> [p.field for p in sync_problems(CatalogueSync(source="sql", location="postgresql://me:word@host/db"))]
    ['location', 'query']
    """
    parts = _split(sync.location)
    if not sync.location or parts is None:
        yield Problem(field="location", message="is missing or no address")
        return
    if parts.password and not SECRET.fullmatch(parts.password):
        yield Problem(
            field="location",
            message="holds a password; write ${NAME} there and set FAIRLEAD_SECRET_NAME where control runs",
        )
    if sync.source == "http" and (parts.scheme not in ("http", "https") or not parts.hostname):
        yield Problem(field="location", message="must be an http or https address")
    if sync.source == "sql" and not sync.query.strip():
        yield Problem(field="query", message="an SQL source needs a statement")
    if sync.source != "sql" and sync.query:
        yield Problem(field="query", message="only an SQL source has a statement")
    if sync.headers and sync.source != "http":
        yield Problem(field="headers", message="only an HTTP source has headers")
    for name, value in sync.headers.items():
        if name.lower() in ("authorization", "cookie", "x-api-key") and not SECRET.search(value):
            yield Problem(
                field="headers", message="holds a secret; write ${NAME} and set FAIRLEAD_SECRET_NAME where control runs"
            )
    if not sync.mapping.item_id:
        yield Problem(field="mapping.item_id", message="name the column of the item's id")


def told_location(sync: CatalogueSync) -> str:
    """Return where a sync reads from, without user, password and query: fit for reports and logs.

    >>> told_location(CatalogueSync(source="http", location="https://a:${B}@shop.example:8443/items?key=c"))
    'https://shop.example:8443/items'
    """
    parts = _split(sync.location)
    if parts is None:
        return sync.source
    if not parts.scheme:
        return sync.location
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _split(location: str) -> SplitResult | None:
    try:
        parts = urlsplit(location)
        parts.port  # noqa: B018  # reading it validates it
    except ValueError:
        return None
    return parts
