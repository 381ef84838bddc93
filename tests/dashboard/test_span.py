"""The one range of a page."""

from datetime import date, datetime

import pytest

from dashboard.span import LABELS, SPANS, refresh_s, resolve, told, window
from storage.records.clock import DAY, HOUR, MINUTE, SECOND

NOW = 1_795_000_003 * SECOND


@pytest.mark.parametrize("key", list(SPANS))
def test_a_relative_range_ends_now_on_a_round_moment(key):
    span, long = resolve(key, now=NOW, zone="UTC"), SPANS[key] >= 7 * DAY
    assert span.end % (MINUTE if long else 10 * SECOND) == 0
    assert -MINUTE < NOW - span.end <= 0 if long else 0 <= NOW - span.end < 10 * SECOND
    assert span.width == SPANS[key]
    assert span.before().end == span.start


def test_whole_days_are_those_of_the_zone_through_a_clock_change():
    span = resolve("custom", now=NOW, zone="Europe/Berlin", dates=(date(2026, 10, 25), date(2026, 10, 25)))
    assert span.width == 25 * HOUR
    assert not span.live
    assert "Europe/Berlin" in told(span)


def test_dates_in_the_wrong_order_are_put_right():
    span = resolve("custom", now=NOW, zone="UTC", dates=(date(2026, 3, 3), date(2026, 3, 1)))
    assert span.width == 3 * DAY


def test_all_data_spans_what_is_known_and_thirty_days_where_nothing_is():
    assert resolve("all", now=NOW, zone="UTC", data=(5, HOUR * 9)).start == 5
    assert resolve("all", now=NOW, zone="UTC").width == 30 * DAY + 1


def test_an_unknown_choice_is_the_default():
    assert resolve("yesterday?", now=NOW, zone="UTC", default="1h").key == "1h"


def test_a_closed_range_never_refreshes():
    closed = resolve("custom", now=NOW, zone="UTC", dates=(date(2020, 1, 1), date(2020, 1, 2)))
    for choice in ("auto", "off", "10s", "30s"):
        assert refresh_s(choice, closed, default=30) is None


def test_refresh_is_the_default_of_the_page_until_chosen():
    live = resolve("1h", now=NOW, zone="UTC")
    assert [refresh_s(choice, live, default=30) for choice in ("auto", "off", "10s", "5m")] == [30, None, 10, 300]
    assert refresh_s("auto", live, default=0) is None
    assert set(SPANS) < set(LABELS)


def test_from_and_to_may_carry_a_time_on_the_clock_of_the_zone():
    first, last = (datetime.fromisoformat(one) for one in ("2026-03-01T12:30", "2026-03-01T14:00"))
    span = resolve("custom", now=NOW, zone="Europe/Berlin", dates=(first, last))
    assert span.width == 90 * 60 * SECOND
    assert told(span) == "1 Mar 2026 12:30 to 1 Mar 2026 14:00, Europe/Berlin"


def test_a_frozen_window_is_kept_to_the_microsecond_and_never_moves():
    found = window("2026-03-01T12:30:10.000001Z", "2026-03-01T14:00:00+01:00")
    assert found is not None
    for now in (NOW, NOW + DAY):
        span = resolve("fixed", now=now, zone="UTC", window=found)
        assert (span.start, span.end) == found
        assert not span.live
        assert refresh_s("10s", span, default=30) is None


@pytest.mark.parametrize(
    "pair", [("", ""), ("x", "y"), ("2026-03-01", "2026-03-02"), ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z")]
)
def test_what_names_no_window_is_none(pair):
    assert window(*pair) is None
