"""How long decisions took, over time: counts by bucket, added over replicas."""

from dataclasses import dataclass

from dashboard.queries.live import SECONDS
from dashboard.span import Span
from storage import series
from storage.database import Read
from storage.records.clock import SECOND

COLUMNS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """``counts[k]`` is what fell into each bucket from ``starts[k]`` on, None where nobody observed; ``edges`` are
    upper bounds in seconds, the last bucket is open."""

    starts: tuple[int, ...]
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...] | None, ...]


def buckets(read: Read, *, span: Span) -> Buckets:
    """Return the counts in at most ``COLUMNS`` steps."""
    step = max(10 * SECOND, -(-span.width // COLUMNS // (10 * SECOND)) * 10 * SECOND)
    found = series.steps(read, SECONDS, start=span.start, end=span.end, step_us=step)
    edges = next((one.edges for one in found if one.edges), ())
    return Buckets(
        starts=tuple(one.start for one in found),
        edges=edges,
        counts=tuple(
            (one.counts or (0,) * (len(edges) + 1)) if one.covered_us and one.edges in ((), edges) else None
            for one in found
        ),
    )
