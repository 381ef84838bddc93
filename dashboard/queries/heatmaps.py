"""The three heatmaps of campaigns: when, where and what, who."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from scipy.stats import binom, false_discovery_control

from dashboard.queries.campaign_strip import REFUSED
from dashboard.queries.grids import Grid, Level, Tile, ranked, readable, shares
from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from storage import cell_sums, series
from storage import cells as stored
from storage.cells import Cell
from storage.database import Read
from storage.records.clock import DAY, HOUR, moment
from storage.series import gaps

Rows = Literal["real", "simulated", "all"]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BLOCKS = ("00–06", "06–12", "12–18", "18–24")
HALVES = ("weekday", "weekend")
HOURS = tuple(f"{hour:02d}" for hour in range(24))
OTHER = "other"
TOP = (50, 20, 10)
BANDS = (8, 6, 5, 4, 3, 2)
POSITIONS = 20
REQUESTS = "fairlead_decision_requests_total"
LONGEST = 400 * DAY


def origins(rows: Rows) -> tuple[str, ...] | None:
    """Return which origins a choice of rows means; None is all."""
    return {"real": ("imported", "live"), "simulated": ("simulated",), "all": None}[rows]


def _day(a: str) -> str:
    return DAYS[int(a)]


def _half(a: str) -> str:
    return HALVES[int(a) >= 5]


def _block(b: str) -> str:
    return BLOCKS[int(b) // 6]


HOUR_LEVELS = (
    Level(name="hour × weekday", row=_day, column=lambda b: HOURS[int(b)], rows=DAYS, columns=HOURS),
    Level(name="6-hour block × weekday", row=_day, column=_block, rows=DAYS, columns=BLOCKS),
    Level(name="6-hour block × weekday or weekend", row=_half, column=_block, rows=HALVES, columns=BLOCKS),
    Level(name="weekday or weekend", row=_half, column=lambda _b: "all day", rows=HALVES, columns=("all day",)),
)


def hour_levels(first_day: int) -> tuple[Level, ...]:
    """Return the levels of hour × weekday, the week beginning on a day (0 is Monday).

    >>> hour_levels(6)[0].rows[:2]
    ('Sun', 'Mon')
    """
    return tuple(
        replace(level, rows=(*level.rows[first_day:], *level.rows[:first_day])) if level.rows == DAYS else level
        for level in HOUR_LEVELS
    )


def places(grid: Grid, first_day: int) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return the row and column of every weekday and hour in a grid of hours."""
    level = next(one for one in hour_levels(first_day) if one.name == grid.level)
    fine = [(str(day), str(hour)) for day in range(7) for hour in range(24)]
    return {(day, hour): (level.row(day), level.column(hour)) for day, hour in fine}


def by_hour(read: Read, *, campaign: str | None, span: Span, rows: Rows, level: str = "", first_day: int = 0) -> Grid:
    """Return when a campaign is clicked, in the zone of the span; an hour that came twice counts once by its rate."""
    cells = stored.by_hour(
        read, campaign=campaign, start=span.start, end=span.end, zone=span.zone, origins=origins(rows)
    )
    return readable(cells, hour_levels(first_day), level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """How whole the data of a range is: days on which clocks changed, hours in which nobody observed an engine (with
    how long), and how many events came too late, of all that came."""

    clock_changes: tuple[tuple[str, int], ...]
    unobserved: tuple[tuple[str, int], ...]
    late: Rate


def clock_changes(span: Span) -> tuple[tuple[str, int], ...]:
    """Return the days of a range on which the clocks of its zone changed, and by how many minutes."""
    zone = ZoneInfo(span.zone)
    found = []
    for at in range(span.start - span.start % HOUR, span.end, HOUR):
        before, after = (moment(one).astimezone(zone) for one in (at, at + HOUR))
        if before.utcoffset() != after.utcoffset():
            moved = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
            found.append((f"{after.day} {after:%b %Y}", int(moved.total_seconds() // 60)))
    return tuple(found)


def whole(read: Read, *, campaign: str | None, span: Span, rows: Rows) -> Whole:
    """Return how whole the data of a range is."""
    missed: dict[str, int] = {}
    for gap in gaps(read, span.start, span.end):
        local = moment(gap.start).astimezone(ZoneInfo(span.zone))
        name = f"{DAYS[local.weekday()]} {local.hour:02d}"
        missed[name] = missed.get(name, 0) + gap.end - gap.start
    about: Any = {"campaign": campaign, "start": span.start, "end": span.end, "origins": origins(rows)}
    loose = {one.key: one.impressions for one in cell_sums.sums(read, cube="unjoined", by="b", **about)}
    joined = cell_sums.sums(read, cube="time", by="a", **about)
    came = sum(loose.values()) + sum(one.impressions + one.clicks for one in joined)
    return Whole(
        clock_changes=clock_changes(span) if span.width <= LONGEST else (),
        unobserved=tuple(sorted(missed.items(), key=lambda pair: -pair[1])),
        late=rate(loose.get("late", 0), came),
    )


Emptiness = Literal["no traffic", "nobody eligible", "no impressions"]


def emptiness(read: Read, *, campaign: str | None, span: Span, rows: Rows) -> Emptiness:
    """Return why nothing was shown: nobody asked, nobody who did may be profiled, or nobody reported what was seen."""
    made = stored.totals(read, campaign=campaign, start=span.start, end=span.end, origins=origins(rows), by=())
    labels = {"campaign": campaign} if campaign else None
    asked = series.total(read, REQUESTS, start=span.start, end=span.end, labels=labels, by=("reason",))
    counted = {step.labels["reason"]: step.value for step in asked if step.value}
    if not sum(one.decisions for one in made) and not sum(counted.values()):
        return "no traffic"
    return "nobody eligible" if counted and counted.keys() <= REFUSED else "no impressions"


def _top(names: Sequence[str], most: int) -> Mapping[str, str]:
    return {name: name if place < most else OTHER for place, name in enumerate(names)}


def _bands(names: Sequence[str], shown: Mapping[str, int], parts: int) -> Mapping[str, str]:
    """Put names, most shown first, into bands of about equal impressions."""
    total = sum(shown.values()) or 1
    found: list[list[str]] = [[]]
    passed = 0
    for name in names:
        if found[-1] and passed >= total * len(found) / parts and len(found) < parts:
            found.append([])
        found[-1].append(name)
        passed += shown[name]
    label: dict[str, str] = {}
    first = 1
    for band in found:
        last = first + len(band) - 1
        name = f"item {first}" if first == last else f"items {first}–{last}"
        label.update(dict.fromkeys(band, name))
        first = last + 1
    return label


def _positions(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(str(place) for place in sorted({int(cell.a) for cell in cells})[:POSITIONS])


def item_levels(cells: Sequence[Cell]) -> tuple[Level, ...]:
    """Return the levels of position × item: the most shown items and the rest, then bands of items that were shown
    about equally often, then all of them together."""
    names = ranked(cells, lambda cell: cell.b)
    shown = shares(cells, lambda cell: cell.b)
    maps = [(f"position × top {most} items", _top(names, most)) for most in TOP if most < len(names)]
    if len(names) <= TOP[0]:
        maps.insert(0, ("position × item", _top(names, len(names))))
    maps += [(f"position × {parts} bands of items", _bands(names, shown, parts)) for parts in BANDS]
    maps.append(("position", dict.fromkeys(names, "all items")))
    places = _positions(cells)
    return tuple(
        Level(name=name, row=str, column=chosen.__getitem__, rows=places, columns=tuple(dict.fromkeys(chosen.values())))
        for name, chosen in maps
    )


def by_position_item(read: Read, *, campaign: str | None, span: Span, rows: Rows, level: str = "") -> Grid:
    """Return which positions and items are clicked; lift is against the mean of the position."""
    cells = stored.by_position_item(read, campaign=campaign, start=span.start, end=span.end, origins=origins(rows))
    places = set(_positions(cells))
    cells = [cell for cell in cells if cell.a in places]
    return readable(cells, item_levels(cells), against="row", level=level)


def attributes(read: Read, *, span: Span, rows: Rows) -> tuple[str, ...]:
    """Return the attributes that segments are made of."""
    found = cell_sums.sums(read, cube="segment", by="a", start=span.start, end=span.end, origins=origins(rows))
    return tuple(sorted({one.key.partition("=")[0] for one in found}))


def segment_levels(cells: Sequence[Cell]) -> tuple[Level, ...]:
    """Return the levels of segment × campaign: the largest segments and the rest, then all together."""
    names = ranked(cells, lambda cell: cell.a)
    values = {name: name.partition("=")[2] or "(empty)" for name in names}
    places = tuple(sorted({cell.b for cell in cells}))[:50]
    sizes = [50, *[most for most in (20, 10, 5, 3, 1) if most < len(names)]]
    maps = [
        (
            "segment × campaign" if most >= len(names) else f"top {most} segments × campaign",
            {name: OTHER if bucket == OTHER else values[name] for name, bucket in _top(names, most).items()},
        )
        for most in sizes
    ]
    maps.append(("campaign", dict.fromkeys(names, "everyone")))
    return tuple(
        Level(name=name, row=chosen.__getitem__, column=str, rows=tuple(dict.fromkeys(chosen.values())), columns=places)
        for name, chosen in maps
    )


def by_segment(read: Read, *, attribute: str, span: Span, rows: Rows, level: str = "") -> Grid:
    """Return which segments of one attribute are clicked, by campaign. One attribute at a time: segments of different
    attributes hold the same people."""
    cells = stored.by_segment(read, start=span.start, end=span.end, origins=origins(rows))
    cells = [cell for cell in cells if cell.a.partition("=")[0] == attribute]
    return readable(cells, segment_levels(cells), level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best tile of a grid; ``sure`` if its difference from the mean survives a 5 % false discovery rate."""

    tile: Tile
    sure: bool


def best(grid: Grid) -> Best | None:
    """Return the tile with the highest rate among those shown, or None.

    Each tile is tested against the grid's mean (exact binomial, twice the smaller tail); Benjamini–Hochberg over all
    shown tiles (Benjamini and Hochberg 1995, JRSS B 57, 289–300).
    """
    shown = [tile for tile in grid.tiles if tile.mask in {"ok", "low"} and tile.rate.value is not None]
    mean = grid.total.rate.value
    if not shown or not mean:
        return None
    top = max(shown, key=lambda tile: tile.rate.value or 0.0)
    hits, n = (np.asarray([getattr(tile.rate, name) for tile in shown]) for name in ("hits", "n"))
    chances = np.minimum(1.0, 2.0 * np.minimum(binom.cdf(hits, n, mean), binom.sf(hits - 1, n, mean)))
    kept = false_discovery_control(chances) <= 0.05
    return Best(tile=top, sure=bool(kept[shown.index(top)]) and (top.lift or 0.0) > 1.0)
