"""How whole the data behind each hour of the week is: whether engines were observed, and whether impressions came."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dashboard.queries.grids import Grid, Tile
from dashboard.queries.heatmaps import REQUESTS, Rows, origins
from dashboard.queries.rates import rate
from dashboard.span import Span
from storage import cells, series
from storage.database import Read
from storage.records.clock import DAY, HOUR

LONGEST = 35 * DAY
"""So far back from the end of the range it is looked whether engines were observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One hour of the week: time that engines ran (µs, all replicas) and that of it observed, decisions of ours and
    those of them with a reported impression."""

    ran_us: int = 0
    observed_us: int = 0
    decisions: int = 0
    shown: int = 0

    def __add__(self, other: "Part") -> "Part":
        return Part(
            ran_us=self.ran_us + other.ran_us,
            observed_us=self.observed_us + other.observed_us,
            decisions=self.decisions + other.decisions,
            shown=self.shown + other.shown,
        )


Parts = Mapping[tuple[str, str], Part]


def by_hour(read: Read, *, campaign: str | None, span: Span, rows: Rows) -> Parts:
    """Return the parts by weekday and hour of the span's zone; time before the first observation is left out."""
    found: dict[tuple[str, str], Part] = {}
    steps = series.steps(read, REQUESTS, start=max(span.start, span.end - LONGEST), end=span.end, step_us=HOUR)
    first = min((step.start for step in steps if step.covered_us), default=span.end)
    for step in steps:
        width = min(step.end, span.end) - step.start
        if step.start < first or step.end - step.start > HOUR or width <= 0:
            continue
        place = cells.local_hour(step.start, span.zone)
        whole = width * max(1, step.replicas)
        part = Part(ran_us=whole, observed_us=min(whole, step.covered_us))
        found[place] = found.get(place, Part()) + part
    kept = [one for one in origins(rows) or ("live", "simulated") if one != "imported"]
    held = cells.by_hour(read, campaign=campaign, start=span.start, end=span.end, zone=span.zone, origins=kept)
    for cell in held:
        part = Part(decisions=cell.decisions, shown=cell.shown_decisions)
        found[cell.a, cell.b] = found.get((cell.a, cell.b), Part()) + part
    return found


def told(grid: Grid, parts: Parts, places: Mapping[tuple[str, str], tuple[str, str]]) -> Grid:
    """Return a grid whose tiles tell how whole they are; ``places`` maps weekday and hour to row and column."""
    sums: dict[tuple[str, str], Part] = {}
    for member, part in parts.items():
        if member in places:
            sums[places[member]] = sums.get(places[member], Part()) + part

    def whole(tile: Tile) -> Tile:
        part = sums.get((tile.row, tile.column), Part())
        return replace(
            tile,
            observed=part.observed_us / part.ran_us if part.ran_us else None,
            reported=rate(part.shown, part.decisions) if part.decisions else None,
        )

    return replace(grid, tiles=tuple(whole(tile) for tile in grid.tiles))
