"""What a heatmap says of a tile: the scale of its colour, the words in it, above it and instead of it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import Literal

from dashboard.queries.grids import LOW_CLICKS, PRIVATE_USERS, Grid, Tile
from dashboard.text import count, digits, interval, percent, safe, short
from dashboard.theme import DIVERGING, SEQUENTIAL
from storage.records.clock import iso

Metric = Literal["rate", "lift", "impressions", "width", "shrunk", "person", "complete"]
METRICS: dict[Metric, str] = {
    "rate": "Click rate",
    "lift": "Lift over the mean",
    "impressions": "Impressions",
    "width": "Width of the interval",
    "shrunk": "Click rate, drawn towards the mean",
    "person": "Clicks per person",
    "complete": "Completeness",
}
LIFT_LIMIT = 1.0
"""The diverging scale ends at half and double: one step of log2 either way."""
TEXT_CELLS = 400
ROOMY = 8
"""With more columns there is room for one number in a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a metric becomes colour: value of a tile (None: no colour), ends of the scale, its name, its ticks."""

    value: Callable[[Tile], float | None]
    low: float
    high: float
    colours: str
    ticks: tuple[tuple[float, str], ...]


def per_person(tile: Tile) -> float | None:
    """Return clicks for each distinct person who was shown something; None where people are unknown.

    People are counted to about 13 % (k minimum values).
    """
    return tile.rate.hits / tile.users if tile.users else None


def complete(tile: Tile) -> float | None:
    """Return the lesser of the shares of time observed and of decisions whose impressions came; None if unknown."""
    known = [tile.observed, tile.reported.value if tile.reported is not None else None]
    return min((one for one in known if one is not None), default=None)


def rated(tile: Tile) -> bool:
    """Tell whether a tile's click rate may be shown."""
    return tile.mask in {"ok", "low"}


def scale(grid: Grid, metric: Metric) -> Scale:
    """Return the scale of a metric over a grid; masked tiles take no part, save that counts have nothing to doubt."""
    if metric == "lift":
        return Scale(
            value=lambda tile: log2(max(tile.lift, 2**-LIFT_LIMIT)) if rated(tile) and tile.lift is not None else None,
            low=-LIFT_LIMIT,
            high=LIFT_LIMIT,
            colours=DIVERGING,
            ticks=((-1.0, "½ ×"), (0.0, "mean"), (1.0, "2 ×")),
        )
    by_metric: dict[Metric, Callable[[Tile], float | None]] = {
        "rate": lambda tile: tile.rate.value if rated(tile) else None,
        "impressions": lambda tile: float(tile.impressions) if tile.mask not in {"private", "none"} else None,
        "width": lambda tile: tile.rate.high - tile.rate.low if rated(tile) else None,
        "shrunk": lambda tile: tile.shrunk if rated(tile) else None,
        "person": lambda tile: per_person(tile) if rated(tile) else None,
        "complete": lambda tile: complete(tile) if tile.mask != "private" else None,
    }
    value = by_metric[metric]
    found = [number for tile in grid.tiles if (number := value(tile)) is not None] or [0.0, 1.0]
    low, high = (0.0 if metric == "impressions" else min(found)), max(found)
    if metric == "complete":
        low, high = 0.0, 1.0
    if high <= low:
        low, high = 0.0, high or 1.0
    names: dict[Metric, Callable[[float], str]] = {"impressions": short, "person": lambda number: digits(number, 2)}
    name = names.get(metric, percent)
    return Scale(
        value=value,
        low=low,
        high=high,
        colours=SEQUENTIAL,
        ticks=tuple((at, name(at)) for at in (low, (low + high) / 2, high)),
    )


def words(tile: Tile, metric: Metric) -> str:
    """Return what stands in a tile: the metric and how many impressions carry it."""
    if metric == "complete" and tile.mask != "private":
        return percent(complete(tile), 3) if complete(tile) is not None else ""
    if tile.mask == "none":
        return ""
    if tile.mask == "private":
        return f"< {PRIVATE_USERS} people"
    shown = short(tile.impressions)
    if metric == "impressions":
        return shown
    if tile.mask == "few":
        return f"n {shown}"
    value = {
        "rate": percent(tile.rate.value),
        "lift": f"{digits(tile.lift or 0.0, 2)} ×",
        "width": f"± {digits(50 * (tile.rate.high - tile.rate.low), 2)} %",
        "shrunk": percent(tile.shrunk),
        "person": digits(per_person(tile) or 0.0, 2) if tile.users else "unknown",
    }[metric]
    return f"{value} · {shown}"


def told(tile: Tile, metric: Metric, columns: int) -> str:
    """Return a tile's text as far as there is room: the interval stands under the value."""
    parts = words(tile, metric).split(" · ")
    if columns > ROOMY:
        return parts[0]
    if rated(tile) and metric == "rate":
        parts.insert(1, interval(tile.rate.low, tile.rate.high))
    if rated(tile) and metric == "lift" and tile.lift and tile.rate.value:
        base = tile.rate.value / tile.lift
        parts.insert(1, f"{digits(tile.rate.low / base, 2)}–{digits(tile.rate.high / base, 2)}")
    if len(parts) > 1:
        parts[-1] = f"n {parts[-1]}"
    return "<br>".join(parts)


def hover(tile: Tile, zone: str) -> str:
    """Return a tile's hover text; names are escaped, a private tile tells nothing."""
    name = f"<b>{safe(tile.row, 'figure')} · {safe(tile.column, 'figure')}</b>"
    if tile.mask == "none":
        return "<br>".join([name, "nothing was shown here", *_whole(tile)])
    if tile.mask == "private":
        return f"{name}<br>hidden: fewer than {PRIVATE_USERS} people, or beside such a cell"
    users = "unknown" if tile.users is None else f"about {count(tile.users)}"
    lines = [
        name,
        f"{count(tile.impressions)} impressions · {count(tile.clicks)} clicks · {count(tile.conversions)} conversions",
        f"click rate {percent(tile.rate.value)}, 95 % {interval(tile.rate.low, tile.rate.high)} %",
        f"lift {digits(tile.lift, 2)} × the mean" if tile.lift is not None else "no mean to compare with",
        f"{percent(tile.share)} of impressions · distinct people: {users}",
        f"last event {iso(tile.last_at)[:19]} UTC · axes in {zone}",
    ]
    lines += _whole(tile)
    if tile.mask == "few":
        lines.append(f"n too small: {digits(tile.expected, 2)} clicks expected, {LOW_CLICKS / 2:.0f} needed")
    if tile.mask == "low":
        lines.append("low confidence: fewer than 20 clicks expected")
    return "<br>".join(lines)


def _whole(tile: Tile) -> list[str]:
    told = [f"engines observed for {percent(tile.observed, 3)} of the time"] if tile.observed is not None else []
    if tile.reported is not None:
        of = f"{interval(tile.reported.low, tile.reported.high)} %, n {count(tile.reported.n)}"
        told.append(f"impressions came for {percent(tile.reported.value, 3)} of decisions ({of})")
    return told


def alt(grid: Grid, metric: Metric, what: str) -> str:
    """Return the text alternative: what, how many, best and worst."""
    shown = [tile for tile in grid.tiles if rated(tile)]
    if grid.total.mask == "private":
        return f"Heatmap by {what}; hidden: fewer than {PRIVATE_USERS} people."
    head = (
        f"Heatmap of {METRICS[metric].lower()} by {what}, {len(grid.rows)} by {len(grid.columns)} cells, "
        f"{count(grid.total.impressions)} impressions, {count(grid.total.clicks)} clicks"
    )
    if not shown:
        return f"{head}; no cell carries enough clicks to be shown."
    top = max(shown, key=lambda tile: tile.rate.value or 0.0)
    low = min(shown, key=lambda tile: tile.rate.value or 0.0)
    return (
        f"{head}. Highest click rate {percent(top.rate.value)} at {top.row}, {top.column}; lowest "
        f"{percent(low.rate.value)} at {low.row}, {low.column}; {len(grid.tiles) - len(shown)} cells masked."
    )


def rows(grid: Grid) -> list[dict[str, object]]:
    """Return the numbers of a grid as rows, totals last; what is masked stays masked."""

    def numbers(tile: Tile) -> dict[str, object]:
        private = tile.mask == "private"
        shown = rated(tile)
        return {
            "row": tile.row,
            "column": tile.column,
            "n": None if private else tile.impressions,
            "clicks": None if private else tile.clicks,
            "click_rate": tile.rate.value if shown else None,
            "low": tile.rate.low if shown else None,
            "high": tile.rate.high if shown else None,
            "lift": tile.lift if shown else None,
            "shrunk_rate": tile.shrunk if shown else None,
            "people": None if private else tile.users,
            "clicks_per_person": per_person(tile) if shown else None,
            "observed": None if private else tile.observed,
            "reported": None if private or tile.reported is None else tile.reported.value,
            "shown_as": {"ok": "shown", "low": "low confidence", "few": "n too small", "none": "nothing shown"}.get(
                tile.mask, f"fewer than {PRIVATE_USERS} people"
            ),
        }

    return [numbers(tile) for tile in (*grid.tiles, *grid.row_totals, *grid.column_totals, grid.total)]
