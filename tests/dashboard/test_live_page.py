"""Live: latency by bucket adds up to what was decided, replicas say what they run, marketers see one row first."""

from dashboard.figures import buckets as drawn
from dashboard.queries import buckets, live
from dashboard.queries.buckets import Buckets
from dashboard.span import resolve
from dashboard.theme import theme
from storage.records.clock import MINUTE
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW

HOUR = resolve("1h", now=NOW - NOW % MINUTE, zone="UTC")


def test_buckets_over_time_add_up_to_the_pulse_and_leave_gaps_bare(filled):
    with filled.read() as read:
        found = buckets.buckets(read, span=HOUR)
        pulse = live.pulse(read, span=HOUR)
    assert sum(sum(counts) for counts in found.counts if counts) == pulse.p50.n
    unseen = [at for at, counts in zip(found.starts, found.counts, strict=True) if counts is None]
    assert unseen and len(found.starts) <= buckets.COLUMNS + 1
    figure = drawn.buckets(found, theme("light"), zone="UTC")
    gap = found.starts.index(unseen[0])
    assert all(row[gap] is None for row in figure.data[0].z)
    shares = [sum(row[step] or 0.0 for row in figure.data[0].z) for step, counts in enumerate(found.counts) if counts]
    assert all(abs(share - 1.0) < 1e-9 for share in shares)


def test_the_open_bucket_is_named_as_open():
    found = Buckets(starts=(0, 1), edges=(0.05, 5.0), counts=((0, 0, 3), None))
    assert drawn.names(found.edges)[drawn.used(found)[0]].startswith(">")


def test_a_marketer_sees_whether_it_works_and_the_rest_when_asked(week):
    first = run("live", surroundings(week, role="marketer"), range="Last hour", refresh="Off")
    assert [one.label for one in first.metric][:2] == ["Decisions", "Errors"]
    assert "## Latency" not in told(first)
    opened = run("live", surroundings(week, role="marketer"), range="Last hour", refresh="Off", all_panels="true")
    assert "## Latency by time" in told(opened) and not opened.exception
    assert "## Latency by time" in told(run("live", surroundings(week, role="ops"), range="Last hour", refresh="Off"))
