"""Grids: what is masked, what is coarsened, how many clicks are missing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.queries import heatmaps
from dashboard.queries.grids import FEW_CLICKS, Level, build, clicks_needed, readable
from dashboard.queries.masking import protect
from dashboard.queries.rates import rate
from storage.cells import Cell
from storage.records.proportions import wilson


def cell(a, b, impressions, clicks, *, users=None, origins=("imported",)):
    return Cell(
        a=str(a),
        b=str(b),
        impressions=impressions,
        clicks=clicks,
        conversions=0,
        decisions=impressions,
        hit_decisions=clicks,
        shown_decisions=impressions,
        model_decisions=0,
        users=users,
        last_at=1,
        origins=origins,
    )


def flat(*shape):
    rows, columns = (tuple(str(n) for n in range(size)) for size in shape)
    return Level(name=f"{shape[0]} × {shape[1]}", row=str, column=str, rows=rows, columns=columns)


@pytest.mark.parametrize(
    ("impressions", "expected"), [(0, "none"), (499, "few"), (500, "low"), (999, "low"), (1000, "ok")]
)
def test_a_cell_is_masked_by_the_clicks_that_its_impressions_expect(impressions, expected):
    rest = cell(1, 0, 1_000_000 - impressions, 20_000 - impressions // 50)
    grid = build([cell(0, 0, impressions, impressions // 50), rest], flat(2, 1))
    assert grid.tiles[0].mask == expected


def test_a_cell_without_clicks_is_shown_if_it_should_have_had_some():
    grid = build([cell(0, 0, 5_000, 0), cell(1, 0, 5_000, 200)], flat(2, 1))
    assert grid.tiles[0].mask == "ok"
    assert grid.tiles[0].rate.value == 0.0


def test_unknown_people_are_not_few_people():
    grid = build(
        [cell(0, 0, 6_000, 120), cell(1, 0, 5_000, 100, users=49), cell(2, 0, 5_000, 100, users=50)], flat(3, 1)
    )
    assert [tile.mask for tile in grid.tiles] == ["ok", "private", "private"]
    assert grid.tiles[0].users is None


def test_one_private_cell_never_stands_alone_in_a_row_or_column():
    cells = [
        cell(row, column, 5_000 + row + column, 100, users=10 if (row, column) == (0, 0) else 500)
        for row in range(3)
        for column in range(3)
    ]
    grid = build(cells, flat(3, 3))
    for line in (
        *[grid.tiles[start : start + 3] for start in (0, 3, 6)],
        *[grid.tiles[start::3] for start in range(3)],
    ):
        assert sum(tile.mask == "private" for tile in line) != 1


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(0, 2_000), st.integers(0, 40))))
def test_every_level_holds_every_impression_and_click(drawn):
    cells = [cell(a, b, n, min(n, hits)) for a, b, n, hits in drawn]
    for level in heatmaps.HOUR_LEVELS:
        grid = build(cells, level)
        for tiles in (grid.tiles, grid.row_totals, grid.column_totals):
            assert (
                sum(tile.impressions for tile in tiles)
                == grid.total.impressions
                == sum(one.impressions for one in cells)
            )
            assert sum(tile.clicks for tile in tiles) == grid.total.clicks


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(1, 4_000), st.integers(0, 40)), min_size=1)
)
def test_the_grid_that_is_shown_is_readable_or_the_coarsest(drawn):
    cells = [cell(a, b, n, min(n, hits)) for a, b, n, hits in drawn]
    grid = readable(cells, heatmaps.HOUR_LEVELS)
    names = [level.name for level in heatmaps.HOUR_LEVELS]
    assert grid.supported >= 1 / 3 or grid.level == names[-1]
    if grid.level != names[0]:
        assert grid.finer == names[names.index(grid.level) - 1]


def test_the_clicks_that_are_missing_would_be_enough():
    cells = [cell(a, b, 100, 1 if b == 0 else 0) for a in range(7) for b in range(24)]
    fine = build(cells, heatmaps.HOUR_LEVELS[0])
    assert fine.supported < 1 / 3
    needed = clicks_needed(fine)
    factor = (fine.total.clicks + needed) / fine.total.clicks
    grown = [
        replace(one, impressions=round(one.impressions * factor), clicks=round(one.clicks * factor)) for one in cells
    ]
    assert build(grown, heatmaps.HOUR_LEVELS[0]).supported >= 1 / 3
    barely = (fine.total.clicks + needed - 14) / fine.total.clicks
    less = [replace(one, impressions=round(one.impressions * barely), clicks=int(one.clicks * barely)) for one in cells]
    assert build(less, heatmaps.HOUR_LEVELS[0]).supported < 1 / 3


def test_a_grid_beyond_its_budget_is_refused():
    with pytest.raises(ValueError, match="at most 10000"):
        build([], flat(101, 100))


def test_items_are_put_into_bands_of_like_impressions():
    cells = [cell(place, f"item-{n}", 1000 - n, 4) for place in (1, 2, 3) for n in range(60)]
    grid = readable(cells, heatmaps.item_levels(cells), against="row")
    assert grid.level == "position × 8 bands of items"
    sizes = [tile.impressions for tile in grid.column_totals]
    assert max(sizes) < 1.3 * min(sizes)
    assert sum(len(tile.members) for tile in grid.tiles) == len(cells)


def test_lift_of_a_position_is_against_its_own_row():
    cells = [cell(1, "a", 10_000, 200), cell(1, "b", 10_000, 100), cell(2, "a", 10_000, 20), cell(2, "b", 10_000, 40)]
    grid = build(cells, Level(name="x", row=str, column=str, rows=("1", "2"), columns=("a", "b")), against="row")
    assert grid.at("2", "b").lift == pytest.approx(40 / 30)
    assert grid.at("1", "a").lift == pytest.approx(200 / 150)


def test_the_best_cell_is_sure_only_beyond_chance():
    same = build([cell(n, 0, 10_000, 50) for n in range(7)], flat(7, 1))
    found = heatmaps.best(same)
    assert found is not None
    assert not found.sure
    better = build([cell(n, 0, 10_000, 200 if n == 3 else 50) for n in range(7)], flat(7, 1))
    found = heatmaps.best(better)
    assert found is not None
    assert (found.tile.row, found.sure) == ("3", True)


def test_protecting_changes_nothing_without_private_cells():
    grid = build([cell(n, 0, 10_000, 50) for n in range(3)], flat(3, 1))
    parts = (grid.tiles, grid.row_totals, grid.column_totals, grid.total)
    assert protect(*parts) == parts


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(20, 1000, 0.0130, 0.0307), (200, 10_000, 0.0174, 0.0229)])
def test_wilson_against_known_values(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_rate_lies_in_its_interval(hits, n):
    found = rate(hits, n)
    assert 0 <= found.low <= found.high <= 1
    if n:
        assert found.value is not None
        assert found.low - 1e-12 <= found.value <= found.high + 1e-12
    else:
        assert found.value is None
    assert FEW_CLICKS == 10
