"""Cells: replaced whole, merged by the local clock without losing a count, people counted where they are known."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import cell_sums, cells, sketches
from storage.cells import CELL_US
from storage.records.clock import DAY, instant
from storage.tables.observed import CellRow


def cell(start, *, campaign="men", origin="live", cube="time", a="", b="", impressions=1, people=(), **fields):
    about = {"clicks": 0, "conversions": 0, "decisions": 1, "last_at": start, **fields}
    return CellRow(
        campaign=campaign,
        start=start,
        cube=cube,
        a=a,
        b=b,
        origin=origin,
        impressions=impressions,
        users=sketches.pack(people),
        users_known=bool(people),
        **about,
    )


def put(database, *rows):
    with database.write() as write:
        for key in {(row.campaign, row.start) for row in rows}:
            cells.replace(write, *key, [row for row in rows if (row.campaign, row.start) == key])


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2025, 3, 30)),
        ("Europe/Berlin", (2025, 10, 26)),
        ("Australia/Lord_Howe", (2025, 4, 6)),
        ("Australia/Lord_Howe", (2025, 10, 5)),
        ("Asia/Kolkata", (2025, 6, 1)),
        ("Asia/Kathmandu", (2025, 6, 1)),
        ("UTC", (2025, 6, 1)),
    ],
)
def test_hours_of_any_zone_conserve_counts_through_clock_changes(sqlite_database, zone, day):
    begin = instant(datetime(*day, tzinfo=ZoneInfo(zone))) // CELL_US * CELL_US
    rows = [cell(begin + place * CELL_US, impressions=place + 1, clicks=place % 3) for place in range(4 * 24)]
    put(sqlite_database, *rows)
    with sqlite_database.read() as read:
        found = cells.by_hour(read, campaign="men", start=begin, end=begin + DAY, zone=zone)
    assert sum(one.impressions for one in found) == sum(row.impressions for row in rows)
    assert sum(one.clicks for one in found) == sum(row.clicks for row in rows)
    expected = {}
    for row in rows:
        local = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=row.start)
        local = local.astimezone(ZoneInfo(zone))
        key = (str(local.weekday()), str(local.hour))
        expected[key] = expected.get(key, 0) + row.impressions
    assert {(one.a, one.b): one.impressions for one in found} == expected


def test_replacing_leaves_nothing_behind_and_touches_nothing_else(database):
    put(database, cell(0, cube="segment", a="x=1", b="men"), cell(CELL_US), cell(0, campaign="women"))
    put(database, cell(0, impressions=7))
    with database.read() as read:
        assert cells.by_segment(read, start=0, end=DAY) == []
        found = {one.a: one.impressions for one in cells.totals(read, start=0, end=DAY)}
        assert cells.campaign_span(read, "men") == (0, 2 * CELL_US)
        assert cells.campaign_span(read) == (0, 2 * CELL_US)
        assert cells.campaign_span(read, "nobody") is None
    assert found == {"men": 8, "women": 1}


def test_totals_by_what_is_asked_and_only_of_what_is_asked(database):
    put(
        database,
        cell(0, impressions=1),
        cell(0, origin="simulated", impressions=10),
        cell(CELL_US, campaign="women", origin="imported", impressions=100, hit_decisions=2, shown_decisions=3),
    )
    with database.read() as read:
        asked = {
            by: {(one.a, one.b): one.impressions for one in cells.totals(read, start=0, end=DAY, by=by)}
            for by in ((), ("origin",), ("campaign", "origin"), ("start",))
        }
        (one,) = cells.totals(read, start=0, end=DAY, by=(), campaign="women")
        (live,) = cells.totals(read, start=0, end=DAY, by=(), origins=("live", "simulated"))
        assert cells.totals(read, start=5 * DAY, end=6 * DAY) == []
        with pytest.raises(ValueError, match="at most two"):
            cells.totals(read, start=0, end=DAY, by=("users",))
    assert asked == {
        (): {("", ""): 111},
        ("origin",): {("live", ""): 1, ("simulated", ""): 10, ("imported", ""): 100},
        ("campaign", "origin"): {("men", "live"): 1, ("men", "simulated"): 10, ("women", "imported"): 100},
        ("start",): {("0", ""): 11, (str(CELL_US), ""): 100},
    }
    assert (one.hit_decisions, one.shown_decisions, one.origins, one.last_at) == (2, 3, ("imported",), CELL_US)
    assert (live.impressions, live.origins) == (11, ("live", "simulated"))


def test_people_are_counted_once_across_cells_and_unknown_is_not_zero(database):
    here = {"cube": "segment", "a": "k=1", "b": "men"}
    put(
        database,
        cell(0, people=(1, 2, 3), **here),
        cell(CELL_US, people=(3, 4), **here),
        cell(2 * CELL_US, **here),
        cell(DAY, origin="imported", **here),
    )

    def people(start, end):
        with database.read() as read:
            (one,) = cells.by_segment(read, start=start, end=end)
        return one.users

    assert people(0, 2 * CELL_US) == 4
    assert people(0, 3 * CELL_US) == 4, "a stranger adds nobody known"
    assert people(2 * CELL_US, 3 * CELL_US) is None
    assert people(0, 2 * DAY) is None, "imported rows name nobody"


def test_positions_are_in_order_of_numbers(sqlite_database):
    put(sqlite_database, *(cell(place * CELL_US, cube="position_item", a=str(place), b="x") for place in (10, 9, 1)))
    with sqlite_database.read() as read:
        found = cells.by_position_item(read, campaign=None, start=0, end=DAY)
    assert [one.a for one in found] == ["1", "9", "10"]


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=60), max_size=4))
def test_sketches_merge_in_any_order_and_are_exact_when_small(groups):
    packed = [sketches.pack(group) for group in groups]
    merged = sketches.merge(packed)
    assert merged == sketches.merge(reversed(packed)) == sketches.merge([merged, *packed])
    union = set().union(*groups)
    assert sketches.unpack(merged) == set(sorted(union)[: sketches.KEPT])
    if len(union) < sketches.KEPT:
        assert sketches.distinct(merged) == len(union)


def test_large_sketches_estimate():
    from hashlib import blake2b

    hashes = [int.from_bytes(blake2b(str(number).encode(), digest_size=8).digest()) for number in range(10_000)]
    assert abs(sketches.distinct(sketches.pack(hashes)) - 10_000) < 4_000


@pytest.mark.parametrize("database", ["sqlite_database", "postgres_database"])
def test_sums_are_those_of_the_cells_asked_for(database, request):
    held = request.getfixturevalue(database)
    rows = [
        cell(place * CELL_US, cube="position_item", a=str(place % 3), b=f"item-{item}", impressions=place + 1, clicks=1)
        for place in range(40)
        for item in range(12)
    ]
    put(held, *rows, cell(0, impressions=99))
    ranges = [(first * CELL_US, (first + 1) * CELL_US) for first in range(0, 40, 3)]
    names = [*(f"item-{item}" for item in range(4)), *(f"none-{n}" for n in range(900))]
    with held.read() as read:
        by_start = cell_sums.sums(
            read, cube="position_item", by="start", start=0, end=DAY, campaign="men", a=["0"], b=names, within=ranges
        )
        by_item = cell_sums.sums(read, cube="position_item", by="b", start=0, end=DAY, origins=("live",))
        nothing = cell_sums.sums(read, cube="position_item", by="b", start=0, end=DAY, within=[])
    wanted = [row for row in rows if row.a == "0" and row.b in names[:4]]
    assert {int(one.key): (one.impressions, one.clicks) for one in by_start} == {
        start: (
            sum(r.impressions for r in wanted if r.start == start),
            sum(r.clicks for r in wanted if r.start == start),
        )
        for start in {row.start for row in wanted}
    }
    assert sum(one.impressions for one in by_item) == sum(row.impressions for row in rows)
    assert nothing == []
