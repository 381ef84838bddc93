"""The panel of latency by time and bucket."""

from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import buckets as drawn
from dashboard.panels import over_time
from dashboard.queries import buckets
from dashboard.text import count
from dashboard.widgets import chart, empty
from storage.records.clock import iso


def buckets_over_time(context: Context) -> None:
    """Draw how long decisions took over time, bucket by bucket."""
    found = read(context, buckets.buckets, span=context.span)
    rows = drawn.used(found)
    if not rows:
        empty("No decision was timed in this range.", "Choose a longer range.")
        return
    called = drawn.names(found.edges)
    total = sum(sum(counts) for counts in found.counts if counts)
    beside = over_time.happened(context, start=context.span.start, end=context.span.end)
    chart(
        drawn.buckets(found, context.look, zone=context.span.zone, marks=beside.marks, gaps=beside.gaps),
        key="buckets-chart",
        alt=f"Latency of {count(total)} decisions by time and bucket, from {called[rows[0]]} to {called[rows[-1]]}",
        rows=lambda: [
            {"at": iso(at), "bucket": called[place], "n": counts[place]}
            for at, counts in zip(found.starts, found.counts, strict=True)
            if counts
            for place in rows
        ],
        marks=beside.marks,
    )
