"""A heatmap's numbers for other tools: a Parquet file, and the SQL that counts them from the cells."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa
from pyarrow import parquet as files

from dashboard.span import Span

CUBES = {"hours": "time", "items": "position_item", "segments": "segment"}


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as a Parquet file; what is masked is null."""
    buffer = BytesIO()
    files.write_table(pa.Table.from_pylist([dict(row) for row in rows]), buffer)
    return buffer.getvalue()


def sql(key: str, span: Span) -> str:
    """Return the SQL that counts the cells of a heatmap, for SQLite and PostgreSQL; names are parameters."""
    return (
        "-- :campaign and :origin as chosen above; start is microseconds UTC of 15 minutes\n"
        "SELECT start, a, b, SUM(impressions) AS n, SUM(clicks) AS clicks, SUM(conversions) AS conversions\n"
        f"FROM cells WHERE cube = '{CUBES[key]}' AND start >= {span.start} AND start < {span.end}\n"
        "  AND campaign = :campaign AND origin = :origin\n"
        "GROUP BY start, a, b ORDER BY start, a, b"
    )
