"""Figures of an industry in the database: one table, replaced as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, delete, select

from storage.database import Read, Write
from storage.records.benchmarks import Benchmark
from storage.tables.benchmarks import BenchmarkRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBenchmark:
    """A figure, who brought it, and when (microseconds UTC)."""

    benchmark: Benchmark
    author: str
    added_at: int


def listed(read: Read) -> list[StoredBenchmark]:
    """Return every figure, by metric, industry and source."""
    order = (col(BenchmarkRow.metric), col(BenchmarkRow.industry), col(BenchmarkRow.source))
    return [
        StoredBenchmark(
            benchmark=Benchmark(
                metric=row.metric, industry=row.industry, value=row.value, source=row.source, date=row.date
            ),
            author=row.author,
            added_at=row.added_at,
        )
        for row in read.all(select(BenchmarkRow).order_by(*order))
    ]


def replace_all(write: Write, rows: Sequence[Benchmark], *, author: str, at: int) -> None:
    """Put these figures in the place of all that there are."""
    write.execute(delete(BenchmarkRow))
    for one in rows:
        write.add(
            BenchmarkRow(
                metric=one.metric,
                industry=one.industry,
                source=one.source,
                date=one.date,
                value=one.value,
                author=author,
                added_at=at,
            )
        )
    write.flush()
