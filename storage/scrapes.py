"""What came of asking each replica: the last result, the last success, what was refused."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import orjson

from storage.cursors import positions
from storage.database import Read, Write
from storage.tables.observed import CursorRow
from storage.upserts import upsert

ScrapeResult = Literal["ok", "timeout", "http", "parse", "too_large", "identity"]
_PREFIX = "scrape:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """The latest attempt to read a replica's ``metrics`` or ``journal``.

    ``rejected`` counts samples refused by reason since the collector first asked; ``lost`` counts journal entries that
    were gone before they could be read.
    """

    replica: str
    what: Literal["metrics", "journal"]
    at: int
    result: ScrapeResult
    detail: str = ""
    last_ok: int | None = None
    skew_us: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0


def note(write: Write, scrape: Scrape) -> None:
    """Keep an attempt as the latest; counts add up, the last success stays when this one failed."""
    name = f"{_PREFIX}{scrape.what}:{scrape.replica}"
    before = scrapes(write).get((scrape.replica, scrape.what))
    if before is not None:
        reasons = {*before.rejected, *scrape.rejected}
        scrape = replace(
            scrape,
            last_ok=scrape.at if scrape.result == "ok" else before.last_ok,
            rejected={key: before.rejected.get(key, 0) + scrape.rejected.get(key, 0) for key in sorted(reasons)},
            lost=before.lost + scrape.lost,
        )
    elif scrape.result == "ok":
        scrape = replace(scrape, last_ok=scrape.at)
    upsert(write, CursorRow, [{"name": name, "value": orjson.dumps(asdict(scrape)).decode(), "fence": 0}])


def scrapes(read: Read) -> dict[tuple[str, str], Scrape]:
    """Return the latest attempt by replica and what was asked for."""
    found = (Scrape(**orjson.loads(value)) for value in positions(read, _PREFIX).values())
    return {(scrape.replica, scrape.what): scrape for scrape in found}
