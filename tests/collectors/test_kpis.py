"""Rates carry counts, an interval, and what is open; hit rate counts decisions in closed windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import kpis
from collectors.journal import poll_journal
from collectors.rollup import keep_house, roll_up_all
from storage import series
from storage.lake import Lake
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Histogram, Window
from tests.collectors.journals import NOON, Journal, Pages, decision, event, target

END = NOON + 30 * DAY


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_interval_holds_its_rate_and_lies_in_zero_to_one(hits, more):
    n = hits + more
    found = kpis.rate(hits, n)
    if n == 0:
        assert (found.value, found.low, found.high) == (None, None, None)
    else:
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1


def test_hit_rate_counts_decisions_not_clicks_and_only_closed_windows(sqlite_database, home):
    lake, journal = Lake(home / "lake"), Journal()
    early = [decision(NOON, number) for number in range(4)]
    late = decision(NOON + 2 * DAY, 9)
    for made in early[:3]:
        journal.write(made, event(made, "impression", NOON), event(made, "impression", NOON, item="b"))
    journal.write(early[3])
    journal.write(event(early[0], "click", NOON + 5), event(early[0], "click", NOON + 6, item="b"))
    journal.write(late, event(late, "impression", late.at), event(late, "click", late.at + 5))
    asked = {"start": 0, "end": END}

    def poll(now):
        poll_journal(sqlite_database, lake, target(journal), Pages({"r0": journal}), now=lambda: now)

    with sqlite_database.read() as read:
        assert kpis.watermark(read) is None
        assert kpis.hit_rate(read, **asked).value is None
    poll(NOON + 2 * DAY + HOUR)
    with sqlite_database.read() as read:
        found = kpis.hit_rate(read, **asked)
        assert (found.hits, found.n, found.open_n) == (1, 3, 1)
        assert (kpis.click_rate(read, **asked).hits, kpis.click_rate(read, **asked).n) == (3, 7)
        assert kpis.conversion_rate(read, **asked).hits == 3
        assert (kpis.model_share(read, **asked).hits, kpis.model_share(read, **asked).n) == (5, 5)
    poll(NOON + 3 * DAY + 10 * MINUTE + 15 * MINUTE + 9 * SECOND)
    with sqlite_database.read() as read:
        assert kpis.hit_rate(read, **asked).open_n == 1, "a window closes with its last second"
    poll(NOON + 3 * DAY + 10 * MINUTE + 15 * MINUTE + 10 * SECOND + MINUTE)
    with sqlite_database.read() as read:
        found = kpis.hit_rate(read, **asked)
    assert (found.hits, found.n, found.open_n) == (2, 4, 0)


def test_a_replica_that_is_gone_holds_up_no_watermark(sqlite_database, home):
    lake = Lake(home / "lake")
    for replica, now in (("gone", NOON), ("r0", NOON + DAY), ("r1", NOON + DAY + 30 * MINUTE)):
        journal = Journal(replica=replica, log=f"log-{replica}")
        poll_journal(sqlite_database, lake, target(journal), Pages({replica: journal}), now=lambda at=now: at)
    with sqlite_database.read() as read:
        assert kpis.watermark(read) == NOON + DAY - 10 * SECOND


def window(counters, counts):
    return Window(
        replica="r0",
        boot_id="b0",
        seq=0,
        start=NOON,
        end=NOON + 10 * SECOND,
        monotonic_us=10 * SECOND,
        counters=tuple(
            Counter(
                name="fairlead_decision_requests_total",
                labels={"campaign": "men", "outcome": outcome, "reason": reason},
                value=value,
            )
            for (outcome, reason), value in counters.items()
        ),
        histograms=tuple(
            Histogram(
                name="fairlead_decision_duration_seconds",
                labels={"outcome_class": outcome},
                edges=(0.01, 0.05, 0.2),
                counts=spread,
                sum=1.0,
            )
            for outcome, spread in counts.items()
        ),
    )


def test_availability_and_latency_leave_out_what_is_not_valid(sqlite_database):
    with sqlite_database.write() as write:
        counters = {("model", "ok"): 90.0, ("fallback", "no_consent"): 8.0, ("error", "timeout"): 2.0}
        spreads = {"ok": (80, 5, 5, 0), "fallback": (8, 1, 0, 1), "error": (0, 0, 0, 2)}
        series.store(write, "t0", window(counters | {("error", "invalid"): 50.0}, spreads))
    with sqlite_database.read() as read:
        asked = {"start": NOON, "end": NOON + HOUR}
        available = kpis.availability(read, **asked)
        quick = kpis.latency_within(read, **asked, threshold_s=0.05)
        nothing = kpis.availability(read, start=NOON + DAY, end=NOON + 2 * DAY)
    assert (available.hits, available.n, available.value) == (98, 100, pytest.approx(0.98))
    assert (quick.hits, quick.n) == (94, 100)
    assert nothing.value is None


def test_house_is_kept(sqlite_database, home):
    with sqlite_database.write() as write:
        series.store(write, "t0", window({("model", "ok"): 3.0}, {}))
    assert roll_up_all(sqlite_database, now=NOON + 5 * DAY) == 3
    keep_house(sqlite_database, Lake(home / "lake"), now=NOON + 5 * DAY)
    with sqlite_database.read() as read:
        assert series.gaps(read, 0, END) == []
        (step,) = series.total(read, "fairlead_decision_requests_total", start=NOON, end=NOON + 10 * MINUTE)
    assert step.value == 3
