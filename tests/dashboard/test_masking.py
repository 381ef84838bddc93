"""What is hidden stays hidden: no count of few people follows from the others and the totals."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dashboard.queries.grids import PRIVATE_USERS, build
from dashboard.queries.masking import determined
from tests.dashboard.test_grids import cell, flat

TABLES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(
            st.sampled_from([(0, 0), (300, 20), (400, 40), (900, 200), (5_000, 1_000)]),
            min_size=shape[1],
            max_size=shape[1],
        ),
        min_size=shape[0],
        max_size=shape[0],
    )
)
LONELY = [[(300, 20), (900, 200)], [(5_000, 1_000), (0, 0)]]
"""The second of the first row is alone in its column: its total would give it away, and with it the first."""
BRIDGED = [
    [(300, 20), (300, 20), (900, 200), (900, 200)],
    [(300, 20), (300, 20), (300, 20), (900, 200)],
    [(900, 200), (900, 200), (300, 20), (300, 20)],
    [(900, 200), (900, 200), (300, 20), (300, 20)],
]
"""Every line hides two, and yet one follows from the sums of several lines."""

FAR = [[(0, 0), (0, 0), (300, 20)], [(0, 0), (300, 20), (300, 20)], [(300, 20), (300, 20), (900, 200)]]
"""The one in the middle follows from the others, and its own row and column hold nothing else that could be hidden."""


def made(table):
    rows, columns = len(table), len(table[0])
    cells = [
        cell(row, column, n, n // 50, users=users)
        for row, line in enumerate(table)
        for column, (n, users) in enumerate(line)
        if n
    ]
    grid = build(cells, flat(rows, columns))
    whole = [[*grid.tiles[row * columns : (row + 1) * columns], grid.row_totals[row]] for row in range(rows)]
    return [*whole, [*grid.column_totals, grid.total]]


def sums(rows, columns):
    """The equations that hold between the counts of a table with totals, a row each."""
    found = []
    for row in range(rows):
        line = np.zeros((rows, columns))
        line[row, :-1], line[row, -1] = 1, -1
        found.append(line.ravel())
    for column in range(columns):
        line = np.zeros((rows, columns))
        line[:-1, column], line[-1, column] = 1, -1
        found.append(line.ravel())
    return np.array(found)


def given_away(table):
    """The hidden places whose count linear algebra finds from what is shown."""
    hidden = np.array([[tile.mask == "private" for tile in line] for line in table])
    places = np.flatnonzero(hidden.ravel())
    if not len(places):
        return []
    unknown = sums(*hidden.shape)[:, places]
    rank = np.linalg.matrix_rank(unknown)
    return [
        divmod(int(place), hidden.shape[1])
        for at, place in enumerate(places)
        if np.linalg.matrix_rank(np.vstack([unknown, np.eye(len(places))[at]])) == rank
    ]


@settings(max_examples=150, deadline=None)
@given(TABLES)
@example(LONELY)
@example(BRIDGED)
@example(FAR)
def test_no_hidden_count_follows_from_the_others_and_the_totals(table):
    shown = made(table)
    assert given_away(shown) == []
    for line, held in zip(shown, table, strict=False):
        for tile, (n, users) in zip(line, held, strict=False):
            assert tile.mask == "private" or not (n and users < PRIVATE_USERS)


def test_one_in_each_row_is_not_enough_of_a_mask_and_two_are_not_where_sums_are_chained():
    """The rule alone (a second one in a line) would give these away; the search finds exactly what algebra does."""
    alone = [(0, 0), (1, 1), (1, 2)]
    assert determined(alone) == set(alone)
    chained = [(row, column) for row in range(4) for column in range(4) if (BRIDGED[row][column][1] < PRIVATE_USERS)]
    assert determined(chained) == {(1, 2)}


def test_totals_are_shown_where_cells_suffice_to_hide_one():
    shown = made([[(300, 20), (900, 200), (5_000, 1_000)]] + [[(900, 200)] * 3] * 2)
    assert [tile.mask == "private" for line in shown for tile in line].count(True) == 4
    assert all(line[-1].mask != "private" for line in shown)
    assert all(tile.mask != "private" for tile in shown[-1])
