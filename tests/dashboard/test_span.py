"""The one range of a page."""

from datetime import date

import pytest

from dashboard.span import LABELS, SPANS, refresh_s, resolve, told
from storage.records.clock import DAY, HOUR, SECOND

NOW = 1_795_000_003 * SECOND


@pytest.mark.parametrize("key", list(SPANS))
def test_a_relative_range_ends_now_on_a_round_ten_seconds(key):
    span = resolve(key, now=NOW, zone="UTC")
    assert span.end % (10 * SECOND) == 0
    assert 0 <= NOW - span.end < 10 * SECOND
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
