"""Whole days of cells: the same answer at less cost, whatever the range, and never a stale one."""

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import func, select

from storage import cell_days, cell_sums, cells
from storage.cells import CELL_US
from storage.database import Database
from storage.records.clock import DAY, MINUTE
from storage.tables.observed import CellRow, CursorRow
from tests.storage.test_cells import cell, put

DAYS = 5
NOW = (DAYS + 3) * DAY


def summed(database: Database) -> int:
    done = 0
    while more := cell_days.sum_days(database, now=NOW):
        done += more
    return done


def answers(database: Database, start: int, end: int) -> list[object]:
    with database.read() as read:
        return [
            *(cells.by_position_item(read, campaign=name, start=start, end=end) for name in (None, "men", "all")),
            cells.by_segment(read, start=start, end=end),
            cells.by_segment(read, campaign="men", start=start, end=end, origins=("imported",)),
            cell_sums.placed(read, campaign="men", start=start, end=end),
            *(
                cell_sums.sums(read, cube=cube, by=by, start=start, end=end)
                for cube in ("time", "position_item", "segment")
                for by in ("start", "a", "b")
            ),
        ]


def filled(database: Database, per_day: int = 12) -> None:
    rows = []
    for number in range(DAYS * per_day):
        start = number * (DAY // per_day) // CELL_US * CELL_US
        name, origin = ("men", "all")[number % 2], ("live", "imported", "simulated")[number % 3]
        people = () if origin == "imported" and number % 5 else range(number, number + 70, 1 + number % 4)
        rows.append(cell(start, campaign=name, origin=origin, people=people))
        for cube, a, b in (
            ("position_item", str(1 + number % 3), f"i-{number % 4}"),
            ("segment", f"k={number % 3}", name),
        ):
            rows.append(
                cell(start, campaign=name, origin=origin, cube=cube, a=a, b=b, impressions=3, clicks=1, people=people)
            )
    put(database, *rows)


def test_sums_of_days_answer_as_their_quarters_do(database: Database) -> None:
    filled(database)
    ranges = [
        (0, NOW),
        (DAY, 3 * DAY),
        (DAY + 5 * CELL_US, 4 * DAY - 3 * CELL_US),
        (2 * DAY + CELL_US, 2 * DAY + 7 * CELL_US),
    ]
    before = [answers(database, *one) for one in ranges]
    assert summed(database) == DAYS
    with database.read() as read:
        parts = cell_days.split(read, "position_item", CELL_US, NOW)
    assert parts == [
        ("position_item", CELL_US, DAY),
        ("position_item/day", DAY, DAYS * DAY),
        ("position_item", DAYS * DAY, NOW),
    ]
    assert [answers(database, *one) for one in ranges] == before
    assert summed(database) == 0


@given(first=st.integers(0, DAYS * 96), width=st.integers(1, DAYS * 96))
def test_every_range_is_cut_without_gap_or_overlap(sqlite_database: Database, first: int, width: int) -> None:
    with sqlite_database.read() as read:
        empty = not read.first(select(func.count()).select_from(CellRow))
    if empty:
        filled(sqlite_database)
        summed(sqlite_database)
    start, end = first * CELL_US, (first + width) * CELL_US
    with sqlite_database.read() as read:
        parts = cell_days.split(read, "segment", start, end)
    assert [part[1] for part in parts] == [start, *(part[2] for part in parts[:-1])] and parts[-1][2] == end


def test_a_late_outcome_takes_its_day_back_until_it_is_summed_again(database: Database) -> None:
    filled(database)
    summed(database)
    late = cell(2 * DAY, cube="position_item", a="9", b="late", impressions=7, campaign="men")
    put(database, late)
    with database.read() as read:
        ours = select(func.count()).select_from(CellRow).where(CellRow.start == 2 * DAY, CellRow.cube.contains("day"))
        assert read.first(ours) == 0
    found = answers(database, 0, NOW)
    assert [one.impressions for one in found[1] if one.b == "late"] == [7]
    assert summed(database) == 1
    assert answers(database, 0, NOW) == found


def test_days_that_are_not_settled_wait(database: Database) -> None:
    filled(database)
    assert cell_days.sum_days(database, now=DAY + cell_days.SETTLED) == 1
    assert cell_days.sum_days(database, now=DAY + cell_days.SETTLED) == 0


def test_who_landed_meanwhile_is_waited_for(sqlite_database: Database, monkeypatch) -> None:
    filled(sqlite_database)
    held = cell_days._summed

    def landed(read, cube, day):
        with sqlite_database.write() as write:
            write.merge(CursorRow(name="cells", value=str(day + MINUTE), fence=0))
        return held(read, cube, day)

    monkeypatch.setattr(cell_days, "_summed", landed)
    assert cell_days.sum_days(sqlite_database, now=NOW) == 0
    monkeypatch.undo()
    assert summed(sqlite_database) == DAYS
