"""What coincides with a stretch of time, against what was written: nearest first, never a cause."""

from dataclasses import replace

import pytest

from dashboard.queries import cell_trend, coincidences, heatmaps, turns
from dashboard.span import resolve
from storage import findings, revisions, verdicts
from storage.records.campaigns import Campaign
from storage.records.clock import DAY, HOUR, MINUTE
from storage.records.findings import Audit
from storage.records.policies import KillSwitch, PolicyState, Snapshot
from storage.records.rules import Rule
from storage.records.verdicts import CheckVerdict
from tests.dashboard.week import NOW, cell, put

HERE = (NOW - 2 * HOUR, NOW - HOUR)
WEEK = resolve("7d", now=NOW, zone="UTC")


@pytest.fixture
def lived(sqlite_database):
    """Two hours in which things happened around ``HERE``, and one thing long before."""
    first = Snapshot(
        revision=0,
        at=NOW - 30 * DAY,
        policies={"home": PolicyState(key="home", surface="home", stable=1)},
        models={"ranker": "1"},
        campaigns={"men": Campaign(key="men", name="Men", surfaces=("home",), status="running")},
    )
    steps = [
        first,
        replace(first, at=NOW - 90 * MINUTE, models={"ranker": "2"}),
        replace(first, at=NOW - 50 * MINUTE, models={"ranker": "2"}, rules={"lift": Rule(key="lift", action="boost")}),
        replace(
            first,
            at=NOW - 10 * MINUTE,
            models={"ranker": "2"},
            rules={"lift": Rule(key="lift", action="boost", enabled=False)},
            kill_switch=KillSwitch(on=True),
            best_variants={"home/men": ("a",)},
        ),
    ]
    with sqlite_database.write() as write:
        for step in steps:
            revisions.publish(write, step)
        for age, word in ((100, "fail"), (95, "pass"), (70, "warn")):
            at = NOW - age * MINUTE
            verdicts.record(write, CheckVerdict(check="ctr", since=at, seen=at, verdict=word, sentence="It fell."))
        for name, word, age in (("f-1", "fail", 30), ("f-2", "pass", 80)):
            about = {"audit_id": name, "kind": "fairness", "job_id": "1", "population": {}, "result": {}}
            findings.save(write, Audit(at=NOW - age * MINUTE, verdict=word, sentence="A gap.", **about))
    return sqlite_database


def test_what_is_nearest_comes_first_and_a_pass_is_no_happening(lived):
    with lived.read() as read:
        found = coincidences.around(read, ranges=[HERE], widen=HOUR)
    told = [(one.kind, one.text, coincidences.nearness(one)) for one in found]
    assert told == [
        ("model", "model ranker 2", "within"),
        ("check", "check ctr: It fell.", "within"),
        ("check", "check ctr: It fell.", "within"),
        ("rule", "rule lift was created", "10 min after"),
        ("fairness", "audit of fairness: A gap.", "30 min after"),
        ("kill switch", "kill switch on", "50 min after"),
        ("rule", "rule lift was turned off", "50 min after"),
    ]
    assert not any("caus" in text for _, text, _ in told)


def test_nothing_far_off_is_told(lived):
    with lived.read() as read:
        assert coincidences.around(read, ranges=[(NOW - 20 * DAY, NOW - 19 * DAY)], widen=HOUR) == ()
        assert coincidences.around(read, ranges=[], widen=HOUR) == ()


def test_of_many_ranges_the_nearest_counts():
    one = coincidences.Happening(at=10 * HOUR, kind="gap", text="")
    assert coincidences.distance(one, [(0, HOUR), (10 * HOUR + MINUTE, 11 * HOUR)]) == -MINUTE
    assert coincidences.distance(one, [(9 * HOUR, 10 * HOUR + 1)]) == 0


def test_what_policies_served_in_a_range(lived):
    with lived.read() as read:
        found = coincidences.active(read, start=NOW - 3 * HOUR, end=NOW, surfaces=("home",))
        assert coincidences.active(read, start=NOW - 3 * HOUR, end=NOW, surfaces=("elsewhere",)) == ()
    assert found == ("home v1 to everyone",)


def test_what_is_computed_anew_by_itself_is_no_change():
    first = Snapshot(revision=1, at=0)
    assert turns.between(first, replace(first, best_variants={"home/men": ("a",)}, trending={"x=1": ("b",)})) == ()


def test_a_cell_has_its_days_and_the_odd_one_stands_out(sqlite_database):
    first = (NOW - 21 * DAY) // DAY * DAY
    rows = []
    for day in range(21):
        for hour in range(24):
            start = first + day * DAY + hour * HOUR
            odd = day == 10 and hour == 18
            rows.append(cell(start, "time", impressions=100, clicks=40 if odd else 2))
            rows += [cell(start, "position_item", a="1", b=name, impressions=50, clicks=1) for name in ("x", "y")]
    put(sqlite_database, rows)
    span = resolve("30d", now=NOW, zone="UTC")
    with sqlite_database.read() as read:
        grid = heatmaps.by_hour(read, campaign="men", span=span, rows="real", level="finest")
        wanted = rows[(10 * 24 + 18) * 3]
        weekday = heatmaps.DAYS[(wanted.start // DAY + 3) % 7]
        tile = grid.at(weekday, "18")
        about = {"kind": "hours", "tile": tile, "campaign": "men", "span": span, "rows": "real"}
        days = cell_trend.days(read, **about)
        place = cell_trend.unusual(days)
        items = cell_trend.top_items(read, within=days[place].ranges, **about)
    assert len(days) == 3
    assert sum(day.clicks.n for day in days) == tile.impressions
    assert sum(day.clicks.hits for day in days) == tile.clicks
    assert days[place].ranges == ((wanted.start, wanted.start + 15 * MINUTE),)
    assert [(one.item, one.clicks.n, one.clicks.hits) for one in items] == [("x", 50, 1), ("y", 50, 1)]


def test_the_days_of_a_place_and_item_hold_all_its_cells(filled):
    with filled.read() as read:
        grid = heatmaps.by_position_item(read, campaign="men", span=WEEK, rows="real", level="finest")
        tile = grid.at("1", "item-0")
        days = cell_trend.days(read, kind="items", tile=tile, campaign="men", span=WEEK, rows="real")
    assert sum(day.clicks.n for day in days) == tile.impressions
    assert cell_trend.unusual(()) is None
