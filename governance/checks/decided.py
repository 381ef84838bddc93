"""Features of decisions, known as soon as they are made: what was asked with, what was predicted, who served."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from governance.checks.columns import Floats, Rows, coded, distinct, documents, numbered, spread
from storage.database import Database
from storage.lake import Lake
from storage.records.decisions import SCORE_DTYPE

_WIDTH = np.dtype(SCORE_DTYPE).itemsize
_DECIDED = f"""
WITH made AS (
    SELECT *, TRY_CAST('0x' || hex(ranking[2:2]) || hex(ranking[1:1]) AS INTEGER) * {_WIDTH} AS place FROM decisions
    WHERE list_contains($origins, origin) AND ($surface IS NULL OR surface = $surface)
      AND ($campaign IS NULL OR campaign = $campaign) AND ($policy IS NULL OR policy = $policy)
)
SELECT "at", context, user_attributes, user_events, confidence, served_by,
    scores[place + 1 : place + {_WIDTH}] AS score, len(items) AS served,
    nullif(octet_length(candidates) // 4, 0) AS candidates
FROM made ORDER BY "at"
"""  # noqa: S608  # own numbers
_NUMBERS = {
    "user_events": ("user.events", "input"),
    "candidates": ("candidates", "input"),
    "confidence": ("confidence", "prediction"),
    "served": ("slots", "prediction"),
}


def load_decided(
    database: Database,
    lake: Lake,
    *,
    start: int | None,
    end: int | None,
    origins: Sequence[str],
    surface: str | None = None,
    campaign: str | None = None,
    policy: str | None = None,
) -> Rows:
    """Read every feature of decisions made in [start, end): context, what people stated, how much was known of them,
    how many candidates there were; the score and confidence of the first slot, who served, how many slots.

    A feature that no row has is left out.
    """
    asked = {"origins": list(origins), "surface": surface, "campaign": campaign, "policy": policy}
    with database.read() as read, lake.connect(read, start=start, end=end) as duck:
        table: Any = duck.sql(_DECIDED, params=asked).to_arrow_table()
    columns = [
        *spread("context", "input", *documents(table.column("context"))),
        *spread("user", "input", *documents(table.column("user_attributes"))),
        *(numbered(*told, _values(table.column(name))) for name, told in _NUMBERS.items()),
        numbered("score", "prediction", _scores(table.column("score").combine_chunks())),
        coded("served_by", "prediction", *distinct(table.column("served_by"))),
    ]
    return Rows(
        at=table.column("at").to_numpy().astype(np.int64), columns=tuple(column for column in columns if column.told())
    )


def _values(column: Any) -> Floats:
    found: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _scores(blobs: Any) -> Floats:
    """Return the numbers in blobs of eight bytes; missing where there is none."""
    there = pc.fill_null(pc.equal(pc.binary_length(blobs), _WIDTH), False).to_numpy(zero_copy_only=False)
    found = np.full(len(blobs), np.nan)
    found[there] = np.frombuffer(b"".join(blobs.filter(pa.array(there)).to_pylist()), dtype=SCORE_DTYPE)
    return found
