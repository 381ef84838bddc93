"""Files of what a page shows: one panel as CSV or JSON, a whole page as a bundle that lists its own checksums."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from typing import Any

import orjson

from storage.records.clock import SECOND, iso
from storage.spreadsheets import csv

Rows = Sequence[Mapping[str, Any]]
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where numbers come from: the page, its range and filters, when it was read, and the end of the newest data."""

    page: str
    environment: str
    start: int | None
    end: int | None
    zone: str
    read_at: int
    newest_at: int | None = None
    filters: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return it as a document; instants carry their offset."""
        return {
            "page": self.page,
            "environment": self.environment,
            "from": None if self.start is None else iso(self.start),
            "to": None if self.end is None else iso(self.end),
            "zone": self.zone,
            "filters": dict(self.filters),
            "read_at": iso(self.read_at),
            "newest_data_at": None if self.newest_at is None else iso(self.newest_at),
            "data_age_s": None if self.newest_at is None else round((self.read_at - self.newest_at) / SECOND, 1),
        }


def code_version() -> str:
    """Return the version of the code that draws."""
    return metadata.version("fairlead")


def plain_json(value: object) -> bytes:
    """Return a value as indented JSON; what JSON has no word for becomes text."""
    return orjson.dumps(
        value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY, default=str
    )


def as_csv(about: About, rows: Rows) -> bytes:
    """Return rows as CSV; each says in its last columns what page, range and filters it is of, and when it was read.

    A comment above the header would be no CSV (RFC 4180 knows none).
    """
    told = about.told()
    asked = " ".join(f"{name}={value}" for name, value in about.filters.items())
    origin = {f"export_{name}": told[name] for name in ("page", "environment", "from", "to", "zone")}
    origin |= {"export_filters": asked} | {f"export_{name}": told[name] for name in ("read_at", "newest_data_at")}
    return csv([{**row, **origin} for row in rows])


def as_json(about: About, key: str, alt: str, rows: Rows) -> bytes:
    """Return rows as JSON beside what they are and where they come from."""
    return plain_json({"panel": key, "what": alt, "about": about.told(), "code": code_version(), "rows": list(rows)})


def bundle(
    about: About, numbers: Mapping[str, tuple[str, Rows]], *, by: str, head: Mapping[str, Any] | None, why: str = ""
) -> bytes:
    """Return a ZIP of all numbers of a page.

    Parameters
    ----------
    about
        What the page was asked.
    numbers
        By key of a chart or table: what it shows, and its rows as they are shown; what is masked there stays masked.
    by
        Who took it.
    head
        The end of the ledger's chain; ``why`` says why there is none.
    """
    files: dict[str, bytes] = {}
    for key, (alt, rows) in numbers.items():
        files[f"data/{key}.csv"] = as_csv(about, rows)
        files[f"data/{key}.json"] = as_json(about, key, alt, rows)
    files[MANIFEST] = plain_json(
        {
            "about": about.told(),
            "taken_by": by,
            "code": {"name": "fairlead", "version": code_version()},
            "ledger_head": dict(head) if head else {"missing": why or "the ledger has no entry yet"},
            "files": {
                name: {"sha256": sha256(held).hexdigest(), "bytes": len(held)} for name, held in sorted(files.items())
            },
        }
    )
    files[SUMS] = "".join(f"{sha256(held).hexdigest()}  {name}\n" for name, held in sorted(files.items())).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in files.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), held, zipfile.ZIP_DEFLATED)
    return out.getvalue()
