"""Readings are shared by who may see the same, by nobody else, and are made anew when the data has moved on."""

from dataclasses import replace

import pytest
import streamlit as st

from dashboard import cached
from dashboard.panels import vitals
from dashboard.queries import freshness
from storage import series
from storage.errors import TooSlow, Unavailable
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Window
from tests.dashboard.table_control import person, surroundings
from tests.dashboard.week import NOW


@pytest.fixture
def asked():
    """What reached the database."""
    st.cache_data.clear()
    yield []
    st.cache_data.clear()


def counting(asked):
    def ask(read, *, now=0, of=""):
        asked.append((now, of))
        return len(asked)

    return ask


def test_two_scopes_never_share_a_reading(week, asked):
    ask, admin = counting(asked), surroundings(week, role="admin")
    assert cached.read(admin, ask) == 1
    assert cached.read(surroundings(week, role="admin"), ask) == 1
    assert cached.read(replace(admin, me=person("marketer")), ask) == 2
    assert cached.current(admin, ask) == 3
    assert cached.current(replace(admin, me=person("ops")), ask) == 4


def test_the_clock_alone_makes_no_reading_but_a_new_window_does(week, asked):
    ask, context = counting(asked), surroundings(week)
    later = replace(context, now=NOW + 7 * SECOND)
    assert cached.current(context, ask, of="a") == cached.current(later, ask, of="a") == 1
    assert asked == [(NOW, "a")]
    assert cached.current(context, ask, of="b") == 2
    assert cached.current(replace(later, head="engine-0 8"), ask, of="a") == 3


def test_without_the_database_the_last_good_reading_of_the_same_thing_is_shown_and_of_no_other(week, asked):
    """A range that moves on with the clock is the same thing; another campaign, or a longer range, is not."""
    away = False

    def ask(read, *, of, start, end):
        if away:
            raise Unavailable("the database does not answer")
        return f"{of} {(end - start) // HOUR} h"

    def at(now, *, of="a", hours=1):
        context = replace(surroundings(week), now=now)
        return cached.read(context, ask, of=of, start=now - hours * HOUR, end=now)

    assert (at(NOW), at(NOW, of="b")) == ("a 1 h", "b 1 h")
    away = True
    assert (at(NOW + MINUTE), at(NOW + 3 * MINUTE, of="b")) == ("a 1 h", "b 1 h")
    for other in ({"of": "c"}, {"hours": 24}):
        with pytest.raises(Unavailable):
            at(NOW + MINUTE, **other)


def test_a_reading_that_takes_too_long_says_so_and_is_not_asked_again_at_once(week, asked):
    def slow(read):
        asked.append(1)
        raise TooSlow("the database took longer than it may")

    for _ in range(3):
        with pytest.raises(TooSlow):
            cached.read(surroundings(week), slow)
    assert asked == [1]


def window(replica, seq, start):
    counted = Counter(name="fairlead_decision_requests_total", labels={"outcome": "model"}, value=1.0)
    return Window(
        replica=replica,
        boot_id="b",
        seq=seq,
        start=start,
        end=start + 10 * SECOND,
        monotonic_us=10 * SECOND,
        counters=(counted,),
        histograms=(),
        gauges=(),
    )


def test_the_head_is_the_newest_window_and_moves_with_every_engine(sqlite_database):
    now = 10_000 * SECOND

    def head():
        with sqlite_database.read() as read:
            return freshness.head(read, now=now)

    assert head() == freshness.Head()
    marks = []
    for replica, seq, start in (("a", 0, 9_973), ("a", 1, 9_983), ("b", 0, 9_981)):
        with sqlite_database.write() as write:
            series.store(write, "t0", window(replica, seq, start * SECOND))
        marks.append(head().mark)
    assert len(set(marks)) == 3
    assert head().at == 9_990 * SECOND
    with sqlite_database.read() as read:
        inside = series.total(read, "fairlead_decision_requests_total", start=0, end=head().at)
    assert inside[0].value == 3.0


def test_a_page_that_refreshes_itself_ends_with_the_newest_window_or_with_the_clock(
    sqlite_database, monkeypatch, asked
):
    at = 10_000 * SECOND + 3
    monkeypatch.setattr(vitals.clock, "now", lambda: at)
    context = replace(surroundings(sqlite_database), now=at, refresh_s=10)
    span = replace(context.span, key="15m", start=9_100 * SECOND, end=10_000 * SECOND)
    now = vitals.moving(replace(context, span=span))
    assert now().span.end == 10_000 * SECOND
    with sqlite_database.write() as write:
        series.store(write, "t0", window("a", 0, 9_975 * SECOND))
    st.cache_data.clear()
    moved = now()
    assert moved.span == replace(span, start=9_080 * SECOND, end=9_980 * SECOND)
    assert moved.head
    monkeypatch.setattr(vitals.clock, "now", lambda: at + 70 * SECOND)
    assert now().span.end == 10_070 * SECOND
    chosen = replace(span, key="custom", end=20_000 * SECOND)
    assert vitals.moving(replace(context, span=chosen))().span == chosen
