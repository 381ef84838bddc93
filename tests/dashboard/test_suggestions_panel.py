"""What to try, as a marketer sees it: evidence, a draft, and nothing where nothing differs."""

import pytest

from dashboard.queries import heatmaps, suggestions
from dashboard.span import Span
from storage.records.clock import DAY, HOUR, MINUTE
from tests.dashboard.answers import ANSWERS, CHANGE
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, cell, put

DRAFTED = CHANGE | {"kind": "rule.create", "object_key": "try-men-thu-18-24", "state": "draft"}


def month(good_clicks: int = 9) -> list:
    """Four weeks, an hour at a time: Thursdays from 18 are clicked more often than the three times of other hours."""
    rows = []
    first = NOW - 28 * DAY - (NOW - 28 * DAY) % (15 * MINUTE)
    for place in range(28 * 24):
        start = first + place * HOUR
        good = (start // DAY + 3) % 7 == 3 and start // HOUR % 24 >= 18
        clicks = good_clicks if good else 3
        rows.append(cell(start, "time", impressions=200, clicks=clicks))
        rows += [
            cell(start, "position_item", a="1", b=item, impressions=100, clicks=clicks // 3)
            for item in ("item-0", "item-1")
        ]
    return rows


@pytest.fixture
def thursdays(filled):
    put(filled, month())
    return filled


def surrounded(database, **answers):
    return surroundings(database, role="marketer", answers=ANSWERS | {"/changes": {"changes": []}} | answers)


def test_a_good_evening_is_found_and_drafted_never_applied(thursdays):
    context = surrounded(thursdays, **{"/changes": {"changes": [], "state": "draft"}})
    app = run("heatmaps", context, campaign="men", range="Last 30 days")
    assert not app.exception
    assert "Thu 18–24 h is clicked" in told(app)
    assert "half of the people" in told(app)
    (button,) = [one for one in app.button if one.label == "Draft change"]
    button.click().run()
    (path, order) = context.control.given[-1]
    assert (path, order["kind"], order["key"]) == ("/changes", "rule.create", "try-men-thu-18-24")
    rule = order["payload"]["rule"]
    assert (rule["weekdays"], rule["hours"], rule["campaigns"]) == ([3], [18, 19, 20, 21, 22, 23], ["men"])
    assert "Thu 18–24 h is clicked" in order["reason"]
    assert not any(path.endswith(("/apply", "/submit", "/rules")) for path, _ in context.control.given)


def test_what_is_drafted_already_is_not_drafted_twice(thursdays):
    context = surrounded(thursdays, **{"/changes": {"changes": [DRAFTED]}})
    app = run("heatmaps", context, campaign="men", range="Last 30 days")
    assert not [one for one in app.button if one.label == "Draft change"]
    assert "nothing is served before somebody approves it" in told(app)


def test_where_nothing_differs_it_says_how_many_more_clicks_would_show_it(sqlite_database):
    put(sqlite_database, month(good_clicks=3))
    app = run("heatmaps", surrounded(sqlite_database), campaign="men", range="Last 30 days")
    assert "differs from the mean beyond chance" in told(app)
    assert "more clicks a usual cell" in told(app)


def test_a_suggestion_from_simulated_rows_says_so(thursdays):
    rows = month()
    for row in rows:
        row.origin = "simulated"
    put(thursdays, rows)
    context = surrounded(thursdays)
    app = run("heatmaps", context, campaign="men", range="Last 30 days", rows="Simulated rows")
    assert "holds simulated rows" in told(app)
    (reason,) = [one for one in app.text_area if one.label == "Reason"]
    assert reason.value.startswith("From simulated rows.")


@pytest.mark.parametrize(("zone", "found"), [("UTC", True), ("Asia/Tokyo", False)])
def test_a_day_is_one_of_the_readers_zone(filled, zone, found):
    """All that an item has over the others came in one day of Tokyo, which is half of two days in Greenwich."""
    first = NOW // DAY * DAY - 20 * DAY
    odd = range(10 * 24 - 9, 11 * 24 - 9)
    rows = [cell(first + place * HOUR, "time", impressions=800, clicks=16) for place in range(20 * 24)]
    for place in range(20 * 24):
        for item in range(4):
            clicks = 120 if place in odd and not item else 4
            rows.append(
                cell(first + place * HOUR, "position_item", a="1", b=f"item-{item}", impressions=200, clicks=clicks)
            )
    put(filled, rows)
    span = Span(key="custom", start=first, end=first + 20 * DAY, zone=zone, live=False)
    with filled.read() as read:
        about = {"campaign": "men", "span": span, "rows": "all"}
        hours, items = heatmaps.by_hour(read, **about), heatmaps.by_position_item(read, **about)
        told = suggestions.suggest(hours, items, suggestions.seen(read, **about), campaign="men", zone=zone)
    assert ("item-0" in [one.tile.column for one in told.found]) is found
    assert told.survived
