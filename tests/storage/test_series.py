"""Tiers: sums conserved, late windows re-open, quantiles the same from every tier, gaps never zero."""

from collections import Counter as Tally

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from storage import series
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Gauge, Histogram, Window
from storage.tables.observed import CursorRow, SampleRow, SeriesRow, WindowRow
from storage.tiers import TIERS, pick_tier

DAY0 = 1_699_920_000 * SECOND
EDGES = (0.01, 0.05, 0.1)
REQUESTS, DURATION, IN_FLIGHT = (
    "fairlead_decision_requests_total",
    "fairlead_decision_duration_seconds",
    "fairlead_http_requests_in_flight",
)


def window(seq, *, replica="r0", boot="b0", value=0, counts=(0, 0, 0, 0), gauge=None, edges=EDGES, offset=0):
    start = DAY0 + seq * 10 * SECOND + offset
    return Window(
        replica=replica,
        boot_id=boot,
        seq=seq,
        start=start,
        end=start + 10 * SECOND,
        monotonic_us=10 * SECOND,
        counters=(Counter(name=REQUESTS, labels={"outcome": "model"}, value=float(value)),),
        histograms=(Histogram(name=DURATION, edges=edges, counts=tuple(counts), sum=float(sum(counts))),),
        gauges=() if gauge is None else (Gauge(name=IN_FLIGHT, value=float(gauge)),),
    )


def sums(database, tier):
    """What a tier holds in all: the counter, the histogram's counts and sum, and the time covered."""
    with database.read() as read:
        kinds = {row.series_id: row.kind for row in read.all(select(SeriesRow))}
        found = Tally()
        for row in read.all(select(SampleRow).where(SampleRow.tier == tier)):
            if kinds[row.series_id] == "counter":
                found["value"] += int(row.value)
            elif kinds[row.series_id] == "histogram":
                found.update(dict(enumerate(orjson.loads(row.counts))))
        found["covered"] = sum(read.all(select(WindowRow.covered_us).where(WindowRow.tier == tier)))
    return found


def roll_all(database, now):
    for tier, rule in TIERS.items():
        if rule.source is not None:
            with database.write() as write:
                series.roll_up(write, tier, now=now)


def empty(database):
    with database.write() as write:
        for table in (SampleRow, WindowRow, SeriesRow, CursorRow):
            write.execute(text(f"DELETE FROM {table.__tablename__}"))


WINDOWS = st.lists(
    st.tuples(
        st.integers(0, 3 * 8_640 - 1),
        st.sampled_from(["r0", "r1"]),
        st.integers(0, 50),
        st.tuples(*[st.integers(0, 400)] * 4),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=25)
@given(WINDOWS, st.lists(st.integers(0, 6 * DAY), max_size=4), st.randoms(use_true_random=False))
def test_every_tier_holds_the_same_sums_however_late_windows_come(sqlite_database, rows, looks, random):
    empty(sqlite_database)
    random.shuffle(rows)
    for place, (seq, replica, value, counts) in enumerate(rows):
        with sqlite_database.write() as write:
            assert series.store(write, "t0", window(seq, replica=replica, value=value, counts=counts))
        if place < len(looks):
            roll_all(sqlite_database, DAY0 + looks[place])
    for _ in range(2):
        roll_all(sqlite_database, DAY0 + 6 * DAY)
    first = sums(sqlite_database, "t0")
    assert first["covered"] == len(rows) * 10 * SECOND
    assert [sums(sqlite_database, tier) for tier in ("t1", "t2", "t3")] == [first] * 3
    before = {tier: sums(sqlite_database, tier) for tier in TIERS}
    roll_all(sqlite_database, DAY0 + 6 * DAY)
    assert {tier: sums(sqlite_database, tier) for tier in TIERS} == before
    with sqlite_database.read() as read:
        spans = (DAY0, DAY0 + 4 * DAY)
        fine = series.steps(read, DURATION, start=spans[0], end=spans[1], step_us=10 * SECOND * 7)
        coarse = series.steps(read, DURATION, start=spans[0], end=spans[1], step_us=15 * MINUTE)
    merged = [series.quantile(EDGES, column(part), 0.99) for part in (fine, coarse)]
    assert merged[0] == merged[1]


@settings(max_examples=25)
@given(
    WINDOWS,
    st.integers(0, 5 * DAY),
    st.lists(st.tuples(st.integers(0, 3 * 8_640), st.integers(1, 4 * 8_640)), min_size=1, max_size=4),
)
def test_a_total_is_that_of_its_windows_however_coarsely_they_are_read(sqlite_database, rows, rolled, asked):
    empty(sqlite_database)
    with sqlite_database.write() as write:
        for seq, replica, value, counts in rows:
            series.store(write, "t0", window(seq, replica=replica, value=value, counts=counts))
    roll_all(sqlite_database, DAY0 + rolled)
    for first, wide in asked:
        start, end = (DAY0 + seq * 10 * SECOND for seq in (first, first + wide))
        with sqlite_database.read() as read:
            found = series.total(read, REQUESTS, start=start, end=end, by=("replica",))
            (timed,) = series.total(read, DURATION, start=start, end=end)
        begun = {step.start for step in found}
        held = [row for row in rows if min(begun) <= DAY0 + row[0] * 10 * SECOND < end]
        for step in found:
            own = [row for row in held if row[1] == step.labels["replica"]]
            assert step.covered_us == len(own) * 10 * SECOND
            assert step.value == (sum(row[2] for row in own) if own else None)
        assert timed.replicas == len({row[1] for row in held})
        assert timed.counts == (tuple(map(sum, zip(*(row[3] for row in held), strict=True))) if held else ())


def column(steps):
    return [sum(parts) for parts in zip(*(step.counts for step in steps if step.counts), strict=True)] or [0] * 4


def test_p99_of_an_hour_is_the_same_from_every_tier(database):
    with database.write() as write:
        for seq in range(360):
            series.store(write, "t0", window(seq, counts=(seq % 7, seq % 5, seq % 3, 0), value=seq))
    found = []
    for rolled in (False, True):
        if rolled:
            roll_all(database, DAY0 + 4 * DAY)
        with database.read() as read:
            for step in (10 * SECOND, MINUTE, 15 * MINUTE, HOUR):
                steps = series.steps(read, DURATION, start=DAY0, end=DAY0 + HOUR, step_us=step)
                found.append(series.quantile(EDGES, column(steps), 0.99))
    assert len(set(found)) == 1
    assert found[0].value is not None


def test_the_same_window_again_changes_nothing(database):
    for _ in range(2):
        with database.write() as write:
            fresh = series.store(write, "t0", window(0, value=3, counts=(1, 0, 0, 0)))
    assert not fresh
    with database.write() as write:
        assert not series.store(write, "t0", window(0, value=99)), "the first one holds"
    assert sums(database, "t0") == Tally({"value": 3, 0: 1, "covered": 10 * SECOND})
    with database.read() as read:
        assert series.last_seq(read, "r0") == ("b0", 0)
        assert series.last_seq(read, "r9") is None


def test_zero_is_observed_and_a_gap_is_unknown(sqlite_database):
    with sqlite_database.write() as write:
        series.store(write, "t0", window(0, value=5))
        series.store(write, "t0", window(1))
        series.store(write, "t0", window(4, value=1))
    with sqlite_database.read() as read:
        assert len(read.all(select(SampleRow))) == 2, "zero increments are not stored"
        steps = series.steps(read, REQUESTS, start=DAY0, end=DAY0 + 60 * SECOND)
        (gap,) = series.gaps(read, DAY0, DAY0 + HOUR)
        (total,) = series.total(read, REQUESTS, start=DAY0, end=DAY0 + 60 * SECOND)
    assert [step.value for step in steps] == [5, 0, None, None, 1, None]
    assert [step.covered_us for step in steps] == [10 * SECOND, 10 * SECOND, 0, 0, 10 * SECOND, 0]
    assert steps[2].per_second is None
    assert (gap.start, gap.end, gap.kind) == (DAY0 + 20 * SECOND, DAY0 + 40 * SECOND, "missing")
    assert total.value == 6
    assert total.per_second == pytest.approx(6 / 30), "rates divide by covered seconds"


def test_replicas_add_and_group(sqlite_database):
    with sqlite_database.write() as write:
        series.store(write, "t0", window(0, value=5, gauge=2))
        series.store(write, "t0", window(0, replica="r1", value=7, gauge=4))
    with sqlite_database.read() as read:
        (both,) = series.total(read, REQUESTS, start=DAY0, end=DAY0 + 10 * SECOND)
        each = series.total(read, REQUESTS, start=DAY0, end=DAY0 + 10 * SECOND, by=("replica", "outcome"))
        (gauge,) = series.total(read, IN_FLIGHT, start=DAY0, end=DAY0 + 10 * SECOND)
        now = series.latest(read, IN_FLIGHT, now=DAY0 + 20 * SECOND)
        assert series.total(read, REQUESTS, start=DAY0, end=DAY0 + MINUTE, labels={"outcome": "error"}) == []
        assert series.steps(read, "fairlead_never_seen", start=DAY0, end=DAY0 + MINUTE) == []
    assert (both.value, both.replicas, both.per_second) == (12, 2, pytest.approx(1.2))
    assert [(step.labels, step.value) for step in each] == [
        ({"replica": "r0", "outcome": "model"}, 5),
        ({"replica": "r1", "outcome": "model"}, 7),
    ]
    assert (gauge.value, gauge.low, gauge.high) == (6, 2, 4), "an additive gauge is summed over replicas"
    assert [(step.labels["replica"], step.value) for step in now] == [("r0", 2), ("r1", 4)]


def test_another_layout_is_merged_on_common_edges_and_flagged(sqlite_database):
    with sqlite_database.write() as write:
        series.store(write, "t0", window(0, counts=(1, 2, 3, 4)))
        series.store(write, "t0", window(0, replica="r1", counts=(5, 6), edges=(0.05,)))
    with sqlite_database.read() as read:
        (step,) = series.total(read, DURATION, start=DAY0, end=DAY0 + 10 * SECOND)
    assert (step.edges, step.counts, step.flags) == ((0.05,), (8, 13), {"coarse"})


def test_a_restart_is_a_gap_of_its_own_kind(sqlite_database):
    with sqlite_database.write() as write:
        series.store(write, "t0", window(0))
        series.store(write, "t0", window(0, boot="b1", offset=40 * SECOND))
        series.store(write, "t0", window(3, boot="b2", offset=60 * SECOND))
    with sqlite_database.read() as read:
        assert [gap.kind for gap in series.gaps(read, DAY0, DAY0 + HOUR)] == ["restart", "missing"]


def test_retention_never_passes_the_next_tier(sqlite_database):
    with sqlite_database.write() as write:
        for seq in range(12):
            series.store(write, "t0", window(seq, value=1))
    late = DAY0 + 10 * DAY
    with sqlite_database.write() as write:
        assert series.retain(write, now=late)["t0"] == 0, "nothing is rolled up yet"
    roll_all(sqlite_database, late)
    with sqlite_database.write() as write:
        assert series.retain(write, now=late) == {"t0": 12, "t1": 0, "t2": 0, "t3": 0}
    assert sums(sqlite_database, "t0") == Tally(covered=0)
    with sqlite_database.read() as read:
        (total,) = series.total(read, REQUESTS, start=DAY0, end=DAY0 + 6 * HOUR)
        (short,) = series.total(read, REQUESTS, start=DAY0, end=DAY0 + MINUTE)
        asked = series.steps(read, REQUESTS, start=DAY0, end=DAY0 + 2 * MINUTE, step_us=10 * SECOND)
    assert (total.value, short.value) == (12, 6), "where fine windows are gone, coarser ones answer"
    assert [(step.value, step.end - step.start) for step in asked] == [(6, MINUTE), (6, MINUTE)]


def test_a_long_backlog_is_worked_off_over_several_runs(sqlite_database):
    with sqlite_database.write() as write:
        for minute in range(300):
            series.store(write, "t0", window(minute * 6, value=1))
    written = []
    for _ in range(3):
        with sqlite_database.write() as write:
            written.append(series.roll_up(write, "t1", now=DAY0 + DAY))
    assert written == [240, 60, 0]
    assert sums(sqlite_database, "t1")["value"] == 300


def test_a_range_reads_the_coarsest_tier_with_300_points_and_never_too_many():
    for hours in (1, 4, 6, 72, 24 * 7, 24 * 90, 24 * 400):
        tier = pick_tier(0, hours * HOUR)
        assert tier == "t0" or hours * HOUR / TIERS[tier].step_us >= 300
    with pytest.raises(ValueError, match="finest tier"):
        series.roll_up(None, "t0", now=0)


def test_points_to_a_browser_are_bounded(sqlite_database):
    with sqlite_database.write() as write:
        series.store(write, "t0", window(0, value=1))
    with sqlite_database.read() as read:
        for length in (5 * HOUR, 70 * HOUR, 300 * DAY):
            assert len(series.steps(read, REQUESTS, start=DAY0, end=DAY0 + length)) <= 2_000
