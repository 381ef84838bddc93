"""The poller's promises, for any schedule of polls, restarts and gaps."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from collectors.poll import poll_metrics
from storage import leases, series
from storage.database import Database
from storage.errors import Conflict
from storage.records.clock import HOUR, SECOND
from storage.records.tasks import SCHEDULE_LEASE
from storage.scrapes import scrapes
from storage.tables.observed import CursorRow, SampleRow, SeriesRow, WindowRow
from tests.collectors.engines import DURATION, REQUESTS, START, Engine, RoundRobin, Wire, target

END = START + 40 * HOUR
WORK = st.tuples(st.just("work"), st.sampled_from(["ok", "error"]), st.integers(0, 3))
CLOSE, POLL = st.just(("close",)), st.just(("poll",))
RESTART = st.just(("restart",))


@contextmanager
def empty(database: Database) -> Iterator[None]:
    """Forget what an example before this one stored."""
    with database.write() as write:
        for table in (SampleRow, WindowRow, SeriesRow, CursorRow):
            write.execute(text(f"DELETE FROM {table.__tablename__}"))
    yield


def stored(database: Database) -> tuple[dict[str, int], list[int]]:
    with database.read() as read:
        counts = series.total(read, REQUESTS, start=START, end=END, by=("outcome",))
        spread = series.total(read, DURATION, start=START, end=END)
    outcomes = {"ok": 0, "error": 0} | {step.labels["outcome"]: int(step.value or 0) for step in counts}
    return outcomes, list(spread[0].counts) if spread else [0] * 4


def rows(database: Database) -> list[object]:
    with database.read() as read:
        windows = read.all(select(WindowRow).order_by(WindowRow.replica, WindowRow.boot_id, WindowRow.seq))
        samples = read.all(
            select(SampleRow.replica, SampleRow.boot_id, SampleRow.seq, SampleRow.series_id, SampleRow.value).order_by(
                SampleRow.replica, SampleRow.boot_id, SampleRow.seq, SampleRow.series_id
            )
        )
    return [*(row.model_dump() for row in windows), *map(tuple, samples)]


def play(engine: Engine, database: Database, wire: Wire, step: tuple) -> None:
    match step:
        case ("work", outcome, bucket):
            engine.work(outcome, bucket)
        case ("close",):
            engine.close()
        case ("restart",):
            engine.restart(graceful=True)
        case ("kill",):
            engine.restart(graceful=False)
        case ("poll",):
            assert poll_metrics(database, target(engine), wire, now=lambda: engine.clock).result == "ok"


@settings(max_examples=40)
@given(st.lists(st.one_of(WORK, WORK, CLOSE, POLL, RESTART), max_size=40))
def test_without_hard_kills_the_sum_is_the_truth(sqlite_database, steps):
    with empty(sqlite_database):
        engine = Engine("r0")
        wire = Wire({"r0": engine})
        for step in [*steps, ("close",), ("poll",)]:
            play(engine, sqlite_database, wire, step)
        assert stored(sqlite_database) == (engine.truth, engine.spread)
        before = rows(sqlite_database)
        play(engine, sqlite_database, wire, ("poll",))
        assert rows(sqlite_database) == before, "asking again changes nothing"


@settings(max_examples=30)
@given(st.lists(st.one_of(WORK, WORK, st.just(("turn",)), st.just(("kill",))), max_size=40))
def test_a_hard_kill_loses_at_most_one_window_and_adds_nothing(sqlite_database, steps):
    with empty(sqlite_database):
        engine = Engine("r0")
        wire = Wire({"r0": engine})
        most = 0
        for step in [*steps, ("turn",)]:
            if step == ("turn",):
                play(engine, sqlite_database, wire, ("close",))
                play(engine, sqlite_database, wire, ("poll",))
            else:
                most += sum(engine.open_spread) if step == ("kill",) else 0
                play(engine, sqlite_database, wire, step)
        outcomes, spread = stored(sqlite_database)
        assert all(outcomes[name] <= engine.truth[name] for name in outcomes)
        assert all(got <= true for got, true in zip(spread, engine.spread, strict=True))
        assert sum(engine.spread) - sum(spread) == most, "exactly the open window of each killed boot is missing"


@settings(max_examples=25)
@given(st.lists(st.one_of(WORK, CLOSE, CLOSE, POLL), max_size=60))
def test_what_left_the_ring_is_a_gap_never_a_zero(sqlite_database, steps):
    with empty(sqlite_database):
        engine = Engine("r0", ring_size=3)
        wire = Wire({"r0": engine})
        for step in [*steps, ("close",), ("poll",)]:
            play(engine, sqlite_database, wire, step)
        with sqlite_database.read() as read:
            kept = set(read.all(select(WindowRow.seq)))
            gaps = series.gaps(read, START, END)
            over_time = series.steps(read, DURATION, start=START, end=engine.clock, step_us=10 * SECOND)
        missing = [window for window in engine.evicted if window.seq not in kept]
        lost = sum(sum(window.histograms[0].counts) for window in missing)
        assert sum(stored(sqlite_database)[1]) == sum(engine.spread) - lost
        inner = [window for window in missing if window.seq > min(kept)]
        assert all(any(gap.start <= window.start < gap.end for gap in gaps) for window in inner)
        unseen = {window.start for window in missing}
        assert all((step.value is None) == (step.start in unseen) for step in over_time)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from(["r0", "r1", "r2"]), st.one_of(WORK, CLOSE, RESTART)), max_size=40),
    st.permutations(["r0", "r1", "r2"]),
)
def test_the_order_of_replicas_does_not_matter(sqlite_database, steps, order):
    found = []
    for replicas in (["r0", "r1", "r2"], order):
        with empty(sqlite_database):
            engines = {name: Engine(name) for name in sorted(replicas)}
            wire = Wire(engines)
            for name, step in [*steps, *((name, ("close",)) for name in engines)]:
                play(engines[name], sqlite_database, wire, step)
            for name in replicas:
                play(engines[name], sqlite_database, wire, ("poll",))
            truth = [sum(column) for column in zip(*(engine.spread for engine in engines.values()), strict=True)]
            outcomes, spread = stored(sqlite_database)
            assert spread == truth
            found.append((outcomes, spread))
    assert found[0] == found[1]


def test_a_load_balancer_is_refused_and_nothing_stored(sqlite_database):
    first, second = Engine("r0"), Engine("r0", boot=7)
    for engine in (first, second):
        engine.work("ok", 1)
        engine.close()
    wire = Wire({"r0": RoundRobin([first, second])})
    results = {poll_metrics(sqlite_database, target(first), wire, now=lambda: START).result for _ in range(6)}
    assert results == {"identity"}
    assert rows(sqlite_database) == []
    with sqlite_database.read() as read:
        seen = scrapes(read)["r0", "metrics"]
    assert (seen.result, seen.last_ok) == ("identity", None)


def test_another_replica_under_the_address_is_refused(sqlite_database):
    other = Engine("r1")
    other.close()
    scrape = poll_metrics(sqlite_database, target(Engine("r0")), Wire({"r0": other}), now=lambda: START)
    assert scrape.result == "identity"
    assert rows(sqlite_database) == []


def test_a_boot_that_was_left_does_not_come_back(sqlite_database):
    engine = Engine("r0")
    wire = Wire({"r0": engine})
    for step in (("close",), ("poll",), ("restart",), ("poll",)):
        play(engine, sqlite_database, wire, step)
    before = rows(sqlite_database)
    engine.boot = 0
    engine.work("ok", 0)
    engine.close()
    assert poll_metrics(sqlite_database, target(engine), wire, now=lambda: START).result == "identity"
    assert rows(sqlite_database) == before


def test_an_outage_of_the_poller_is_backfilled_from_the_ring(sqlite_database):
    engine = Engine("r0")
    wire = Wire({"r0": engine})
    play(engine, sqlite_database, wire, ("poll",))
    for _ in range(90):
        engine.work("ok", 2)
        engine.close()
    play(engine, sqlite_database, wire, ("poll",))
    with sqlite_database.read() as read:
        assert series.gaps(read, START, END) == []
        assert len(series.steps(read, REQUESTS, start=START, end=engine.clock)) == 90
    assert stored(sqlite_database) == (engine.truth, engine.spread)


@pytest.mark.parametrize(("skew_s", "flag"), [(0, frozenset()), (600, {"skew"}), (-600, {"skew"})])
def test_a_clock_that_is_off_is_flagged_and_durations_stay_monotonic(sqlite_database, skew_s, flag):
    engine = Engine("r0")
    engine.work("ok", 0)
    engine.close()
    here = engine.clock - skew_s * SECOND
    scrape = poll_metrics(sqlite_database, target(engine), Wire({"r0": engine}), now=lambda: here)
    assert scrape.skew_us == skew_s * SECOND
    with sqlite_database.read() as read:
        (step,) = series.steps(read, REQUESTS, start=START, end=engine.clock, labels={"outcome": "ok"})
    assert (step.value, step.covered_us, step.flags) == (1, 10 * SECOND, flag)


def test_windows_older_than_the_finest_tier_are_refused_and_counted(sqlite_database):
    engine = Engine("r0")
    engine.work("ok", 0)
    engine.close()
    engine.clock += 60 * HOUR
    scrape = poll_metrics(sqlite_database, target(engine), Wire({"r0": engine}), now=lambda: engine.clock)
    assert scrape.rejected == {"late": 1}
    assert rows(sqlite_database) == []


def test_only_the_leader_writes(database):
    engine = Engine("r0")
    engine.close()
    with database.write() as write:
        old = leases.acquire(write, SCHEDULE_LEASE, "a", now=0, ttl_us=1)
        new = leases.acquire(write, SCHEDULE_LEASE, "b", now=10, ttl_us=1)
    with pytest.raises(Conflict, match="another instance leads"):
        poll_metrics(database, target(engine), Wire({"r0": engine}), now=lambda: START, fence=old)
    assert rows(database) == []
    assert poll_metrics(database, target(engine), Wire({"r0": engine}), now=lambda: START, fence=new).result == "ok"
    assert len([row for row in rows(database) if isinstance(row, dict)]) == 1
