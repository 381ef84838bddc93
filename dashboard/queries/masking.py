"""Which tiles are hidden beside those of few people, so that no total gives a hidden one away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.queries.grids import Tile

Place = tuple[int, int]
Table = dict[Place, "Tile"]


def _lines(rows: int, columns: int) -> Iterator[list[Place]]:
    """Yield the places of every line that adds up: each row with its total, each column with its own, the totals."""
    yield from ([(row, column) for column in range(columns + 1)] for row in range(rows + 1))
    yield from ([(row, column) for row in range(rows + 1)] for column in range(columns + 1))


def determined(hidden: Sequence[Place]) -> set[Place]:
    """Return the hidden places that sums alone give away.

    Rows and columns are the nodes of a graph, hidden places its edges; a hidden count follows from the sums exactly
    where its edge lies on no cycle: a bridge (Gusfield 1988, SIAM J. Comput. 17, 552–571). Tarjan's search finds them.

    >>> determined([(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)])
    {(2, 2)}
    """
    beside: dict[tuple[str, int], list[tuple[tuple[str, int], Place]]] = {}
    for row, column in hidden:
        beside.setdefault(("row", row), []).append((("column", column), (row, column)))
        beside.setdefault(("column", column), []).append((("row", row), (row, column)))
    seen: dict[tuple[str, int], int] = {}
    lowest: dict[tuple[str, int], int] = {}
    bridges: set[Place] = set()
    for root, first in beside.items():
        if root in seen:
            continue
        seen[root] = lowest[root] = len(seen)
        stack = [(root, (-1, -1), iter(first))]
        while stack:
            node, came, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                if stack:
                    above = stack[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                    if lowest[node] > seen[above]:
                        bridges.add(came)
            elif step[1] != came and step[0] in seen:
                lowest[node] = min(lowest[node], seen[step[0]])
            elif step[1] != came:
                seen[step[0]] = lowest[step[0]] = len(seen)
                stack.append((step[0], step[1], iter(beside[step[0]])))
    return bridges


def _second(table: Mapping[Place, "Tile"], lines: Sequence[Sequence[Place]], rows: int, columns: int) -> Place | None:
    """Return the tile to hide beside those that are given away: the smallest of their lines, of all the total last.
    Where their lines hold nothing else, it is the one elsewhere that leaves the fewest given away."""
    hidden = [place for place, tile in table.items() if tile.mask == "private"]
    given = determined(hidden)
    if not given:
        return None
    shown = {place for place, tile in table.items() if tile.mask not in {"private", "none"}}
    near = {place for line in lines if given.intersection(line) for place in line} & shown

    def beside(place: Place) -> int:
        return sum((row == place[0]) + (column == place[1]) for row, column in hidden)

    def left(place: Place) -> int:
        return 0 if near else len(determined([*hidden, place]))

    return min(
        near or shown,
        key=lambda place: (place == (rows, columns), left(place), table[place].impressions, -beside(place), place),
        default=None,
    )


def protect(
    tiles: Sequence["Tile"], row_totals: Sequence["Tile"], column_totals: Sequence["Tile"], total: "Tile"
) -> tuple[tuple["Tile", ...], tuple["Tile", ...], tuple["Tile", ...], "Tile"]:
    """Return tiles and totals with as many more hidden as it takes that no hidden count follows from the others; the
    fewest impressions first, the total of all only where nothing else is left."""
    rows, columns = len(row_totals), len(column_totals)
    table: Table = {(at // columns, at % columns): tile for at, tile in enumerate(tiles)}
    table |= {(row, columns): tile for row, tile in enumerate(row_totals)}
    table |= {(rows, column): tile for column, tile in enumerate(column_totals)}
    table[rows, columns] = total
    lines = list(_lines(rows, columns))
    while (place := _second(table, lines, rows, columns)) is not None:
        table[place] = replace(table[place], mask="private")
    return (
        tuple(table[row, column] for row in range(rows) for column in range(columns)),
        tuple(table[row, columns] for row in range(rows)),
        tuple(table[rows, column] for column in range(columns)),
        table[rows, columns],
    )
