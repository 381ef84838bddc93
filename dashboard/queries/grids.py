"""From cells to a grid that can be read: coarsened until enough clicks stand behind it, masked where they do not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from dashboard.queries import shrinkage
from dashboard.queries.masking import protect
from dashboard.queries.rates import Rate, rate
from storage.cells import Cell
from storage.sketches import distinct, merge

Mask = Literal["ok", "low", "few", "private", "none"]

FEW_CLICKS = 10.0
"""Below so many expected clicks a cell is masked: Wilson's interval would span a factor of three and more."""
LOW_CLICKS = 20.0
"""Below so many it is shown hatched."""
PRIVATE_USERS = 50
SUPPORTED_SHARE = 1 / 3
BUDGET = 10_000
"""Interactive cells per figure (U33)."""
TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One cell of a grid. ``lift`` is its rate over the rate it is compared with, ``shrunk`` its rate drawn towards
    that one; ``members`` are the finer coordinates that went in, most impressions first; ``mask`` says how it may be
    shown (``none``: nothing was); ``observed`` and ``reported`` say how whole it is, where that was asked."""

    row: str
    column: str
    impressions: int
    clicks: int
    conversions: int
    users: int | None
    last_at: int
    rate: Rate
    expected: float
    lift: float | None
    share: float
    mask: Mask
    shrunk: float | None = None
    members: tuple[tuple[str, str], ...] = ()
    observed: float | None = None
    reported: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Tiles by row and column, with totals. ``needed`` is about how many more clicks a ``finer`` grid needs; None when
    this is the finest."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    tiles: tuple[Tile, ...]
    row_totals: tuple[Tile, ...]
    column_totals: tuple[Tile, ...]
    total: Tile
    level: str
    finer: str | None
    needed: int | None
    origins: tuple[str, ...]
    supported: float

    def at(self, row: str, column: str) -> Tile:
        """Return the tile at a row and column."""
        return self.tiles[self.rows.index(row) * len(self.columns) + self.columns.index(column)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One coarseness: a name, and how fine coordinates map to rows and columns (both in order of display)."""

    name: str
    row: Callable[[str], str]
    column: Callable[[str], str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]


def _people(cells: Sequence[Cell]) -> int | None:
    """Return how many people several cells hold together, each counted once; at least those of the largest."""
    counted = [cell.users for cell in cells if cell.users is not None]
    sketches = [cell.sketch for cell in cells if cell.sketch]
    return max([*counted, distinct(merge(sketches))] if sketches else counted, default=None)


def _tile(row: str, column: str, cells: Sequence[Cell], *, members: bool) -> Tile:
    shown = sum(cell.impressions for cell in cells)
    clicks = sum(cell.clicks for cell in cells)
    known = bool(cells) and all(cell.users is not None or not cell.impressions for cell in cells)
    return Tile(
        row=row,
        column=column,
        impressions=shown,
        clicks=clicks,
        conversions=sum(cell.conversions for cell in cells),
        users=_people(cells) if known else None,
        last_at=max((cell.last_at for cell in cells), default=0),
        rate=rate(clicks, shown),
        expected=0.0,
        lift=None,
        share=0.0,
        mask="none",
        members=tuple((one.a, one.b) for one in sorted(cells, key=lambda one: -one.impressions)) if members else (),
    )


def _judged(tile: Tile, *, base: float | None, mean: float, shown: int) -> Tile:
    expected = tile.impressions * mean
    mask: Mask = "none"
    if tile.impressions:
        mask = "few" if expected < FEW_CLICKS else "low" if expected < LOW_CLICKS else "ok"
        if tile.users is not None and tile.users < PRIVATE_USERS:
            mask = "private"
    lift = tile.rate.value / base if base and tile.rate.value is not None else None
    return replace(tile, expected=expected, lift=lift, share=tile.impressions / shown if shown else 0.0, mask=mask)


def _drawn_in(tiles: Sequence[Tile]) -> list[Tile]:
    """Return the tiles with their rates drawn towards what each is compared with."""
    known = [
        (tile.impressions, tile.rate.hits, tile.rate.value / tile.lift)
        for tile in tiles
        if tile.lift and tile.rate.value
    ]
    zero = [tile for tile in tiles if tile.lift == 0.0]
    usual = sum(n * base for n, _, base in known) / (sum(n for n, _, _ in known) or 1)
    weight = shrinkage.strength([*known, *((tile.impressions, 0, usual) for tile in zero)])

    def drawn(tile: Tile) -> float | None:
        if tile.lift is None or tile.rate.value is None:
            return None
        base = tile.rate.value / tile.lift if tile.lift else usual
        return shrinkage.shrunk(tile.impressions, tile.rate.hits, base, weight)

    return [replace(tile, shrunk=drawn(tile)) for tile in tiles]


def _supported(tiles: Sequence[Tile]) -> float:
    """The share of the grid's places whose click rate may be shown."""
    return sum(tile.mask in {"ok", "low"} for tile in tiles) / len(tiles) if tiles else 0.0


def build(cells: Sequence[Cell], level: Level, *, against: Literal["mean", "row"] = "mean") -> Grid:
    """Return the grid of one level. Lift is against the grid's mean rate, or against that of each row."""
    if len(level.rows) * len(level.columns) > BUDGET:
        raise ValueError(f"a grid holds at most {BUDGET} cells; sum the smallest into one")
    placed: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        placed.setdefault((level.row(cell.a), level.column(cell.b)), []).append(cell)
    total = _tile(TOTAL, TOTAL, cells, members=False)
    mean, shown = total.rate.value or 0.0, total.impressions
    by_row = [
        _tile(row, TOTAL, [c for (r, _), held in placed.items() if r == row for c in held], members=False)
        for row in level.rows
    ]
    by_column = [
        _tile(TOTAL, column, [c for (_, k), held in placed.items() if k == column for c in held], members=False)
        for column in level.columns
    ]
    bases = {tile.row: tile.rate.value for tile in by_row} if against == "row" else {}
    tiles = [
        _judged(
            _tile(row, column, placed.get((row, column), ()), members=True),
            base=bases.get(row, total.rate.value),
            mean=mean,
            shown=shown,
        )
        for row in level.rows
        for column in level.columns
    ]
    shown_tiles, row_totals, column_totals, total = protect(
        _drawn_in(tiles),
        [_judged(tile, base=mean, mean=mean, shown=shown) for tile in by_row],
        [_judged(tile, base=mean, mean=mean, shown=shown) for tile in by_column],
        _judged(total, base=mean, mean=mean, shown=shown),
    )
    return Grid(
        rows=level.rows,
        columns=level.columns,
        tiles=shown_tiles,
        row_totals=row_totals,
        column_totals=column_totals,
        total=total,
        level=level.name,
        finer=None,
        needed=None,
        origins=tuple(sorted({origin for cell in cells for origin in cell.origins})),
        supported=_supported(shown_tiles),
    )


def clicks_needed(grid: Grid) -> int:
    """Return about how many more clicks a third of the grid's cells need to be shown, if traffic keeps its shape.

    The k-th busiest cell, k a third of the places, must expect ``FEW_CLICKS``: its share of impressions s asks for
    ``FEW_CLICKS / s`` clicks in all.
    """
    shares = sorted((tile.share for tile in grid.tiles), reverse=True)
    place = ceil(len(shares) * SUPPORTED_SHARE) - 1
    if place < 0 or shares[place] <= 0:
        used = [share for share in shares if share > 0]
        place, shares = len(used) - 1, used
    if not shares:
        return int(FEW_CLICKS)
    return max(0, ceil(FEW_CLICKS / shares[place]) - grid.total.clicks)


def readable(
    cells: Sequence[Cell], levels: Sequence[Level], *, against: Literal["mean", "row"] = "mean", level: str = ""
) -> Grid:
    """Return the finest grid of which a third of the cells carry enough clicks; the coarsest if none does.

    ``level`` asks for one by name instead, or for the ``finest``. ``levels`` go from fine to coarse.
    """
    grids: list[Grid] = []
    for one in levels:
        grid = build(cells, one, against=against)
        grids.append(grid)
        if level in {grid.level, "finest"} or (not level and grid.supported >= SUPPORTED_SHARE):
            break
    found = grids[-1]
    if len(grids) == 1:
        return found
    return replace(found, finer=grids[-2].level, needed=clicks_needed(grids[-2]))


def ranked(cells: Sequence[Cell], by: Callable[[Cell], str]) -> tuple[str, ...]:
    """Return coordinates by impressions, most first."""
    shown: dict[str, int] = {}
    for cell in cells:
        shown[by(cell)] = shown.get(by(cell), 0) + cell.impressions
    return tuple(sorted(shown, key=lambda key: (-shown[key], key)))


def shares(cells: Sequence[Cell], by: Callable[[Cell], str]) -> Mapping[str, int]:
    """Return impressions per coordinate."""
    found: dict[str, int] = {}
    for cell in cells:
        found[by(cell)] = found.get(by(cell), 0) + cell.impressions
    return found
