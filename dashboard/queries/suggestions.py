"""What a marketer might try: at most three tiles that differ beyond chance, each with the rule that would try it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.queries import heatmaps, standouts, tries
from dashboard.queries.grids import Grid, Tile
from dashboard.queries.heatmaps import OTHER, Rows
from dashboard.queries.rates import Rate, rate
from dashboard.queries.standouts import Alike, Counts
from dashboard.queries.tries import WEAKEST, Kind
from dashboard.span import Span
from dashboard.text import count, digits, interval, percent
from storage import cell_sums, cells
from storage.cell_sums import Sum
from storage.database import Read
from storage.records.clock import instant, moment
from storage.records.proportions import wilson

MOST = 3
TRIED_ITEMS = 3
FEWEST_SHOWN = 200
"""An item needs so many impressions to be among those that a rule puts first (as the best-variant rung)."""
POOR = 0.8
"""What is suggested is at least 5 % better than its mean, or 20 % worse, as the interval has it: a smaller difference
may be real and not matter, and one good item takes every other below the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One tile that differs from what it is compared with, and what to try. ``low`` and ``high`` bound its lift;
    ``rule`` is the rule of the draft, None where there is nothing to try."""

    kind: Kind
    tile: Tile
    lift: float
    low: float
    high: float
    rule: Mapping[str, Any] | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """What was found: at most ``MOST`` suggestions of ``tested`` tiles, of which ``survived`` differ; ``needed`` is
    about how many more clicks would show a lift of half as much again; ``alike`` widened every test."""

    found: tuple[Suggestion, ...]
    tested: int
    survived: int
    needed: int | None
    alike: float
    clicks: int
    origins: tuple[str, ...]


def shown(grid: Grid) -> list[Tile]:
    """Return the tiles whose rate may be shown: they alone are tested."""
    return [tile for tile in grid.tiles if tile.mask in {"ok", "low"}]


def name_of(tile: Tile) -> str:
    """Return a tile's name among the buckets."""
    return f"{tile.row}/{tile.column}"


def _buckets(starts: Sequence[Sum], grid: Grid, zone: str) -> dict[str, list[Counts]]:
    """Return impressions and clicks by tile of the grid of hours and by day of the zone."""
    tiles = {member: name_of(tile) for tile in grid.tiles for member in tile.members}
    days: dict[tuple[str, date], Counts] = {}
    for one in starts:
        at = int(one.key)
        where = tiles.get(cells.local_hour(at, zone))
        if where is not None:
            key = where, moment(at).astimezone(ZoneInfo(zone)).date()
            n, hits = days.get(key, (0, 0))
            days[key] = n + one.impressions, hits + one.clicks
    found: dict[str, list[Counts]] = {}
    for (where, _), counts in days.items():
        found.setdefault(where, []).append(counts)
    return found


def _days(starts: Sequence[Sum], span: Span) -> list[tuple[int, int]]:
    """Return from when to when each day of the zone lasts in which something was shown, within the span."""
    zone = ZoneInfo(span.zone)
    days = sorted({moment(int(one.key)).astimezone(zone).date() for one in starts if one.impressions})

    def midnight(day: date) -> int:
        return min(max(instant(datetime.combine(day, time(), zone)), span.start), span.end)

    return [(midnight(day), midnight(day + timedelta(days=1))) for day in days]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands behind the grids of a campaign: counts by quarter of an hour, the items with the highest lower bound
    of click rate, and counts by position and item for each day of the zone."""

    starts: tuple[Sum, ...]
    best: tuple[str, ...]
    days: tuple[Mapping[tuple[str, str], Counts], ...]

    def by_day(self, tile: Tile) -> list[Counts]:
        """Return a tile's counts on each day on which it was shown."""
        told = [[held[place] for place in tile.members if place in held] for held in self.days]
        return [(sum(n for n, _ in counts), sum(hits for _, hits in counts)) for counts in told if counts]


def seen(read: Read, *, campaign: str, span: Span, rows: Rows) -> Seen:
    """Return what stands behind the grids of a campaign."""
    asked: Any = {"campaign": campaign, "origins": heatmaps.origins(rows)}
    starts = cell_sums.sums(read, cube="time", by="start", start=span.start, end=span.end, **asked)
    items = cell_sums.sums(read, cube="position_item", by="b", start=span.start, end=span.end, **asked)
    return Seen(
        starts=tuple(starts),
        best=_best(items),
        days=tuple(cell_sums.placed(read, start=start, end=end, **asked) for start, end in _days(starts, span)),
    )


def suggest(hours: Grid, items: Grid, behind: Seen, *, campaign: str, zone: str) -> Suggested:
    """Return what to try for a campaign.

    All tiles shown of *when* and of *where and what* are one family; a tile of the first is tested against the rest of
    the campaign, one of the second against the rest of its position.
    """
    alike = standouts.alike(_buckets(behind.starts, hours, zone))
    return judged(hours, items, alike=alike, campaign=campaign, zone=zone, best=behind.best, days=behind.by_day)


def judged(
    hours: Grid,
    items: Grid,
    *,
    alike: Alike,
    campaign: str,
    zone: str,
    best: Sequence[str],
    days: Callable[[Tile], Sequence[Counts]] | None = None,
) -> Suggested:
    """Return what both grids say; ``best`` are the items that a rule for good hours puts first, ``days`` the counts of
    a position and item by day. What is suggested has to stand, and is quoted, without the day that speaks for it most.
    """
    bases = {tile.row: tile for tile in items.row_totals}
    family = [
        _Case("hours", tile, hours.total, alike.of(name_of(tile)), alike.steady.get(name_of(tile)))
        for tile in shown(hours)
    ]
    family += [_Case("items", tile, bases[tile.row], alike.overall) for tile in shown(items)]
    family = [one for one in family if one.tile.impressions < one.base.impressions]
    found = standouts.chances(
        [standouts.counts(one.tile) for one in family],
        [standouts.counts(one.base) for one in family],
        [one.wider for one in family],
    )
    kept = [one for one, survives in zip(family, standouts.survivors(found), strict=True) if survives]
    if days is not None:
        kept = [_by_day(one, days) for one in sorted(kept, key=lambda one: -one.at_stake())]
    most = sorted(_together(kept, hours), key=lambda one: -one.at_stake())
    told = [_suggestion(one, campaign=campaign, zone=zone, best=best) for one in most]
    mean = hours.total.rate.value or 0.0
    places = sum(tile.impressions > 0 for tile in (*hours.tiles, *items.tiles))
    return Suggested(
        found=_apart(told),
        tested=len(family),
        survived=len(kept),
        needed=standouts.more_clicks(hours.tiles, mean, hours.total.clicks, tested=places, alike=alike.overall),
        alike=alike.overall,
        clicks=hours.total.clicks,
        origins=tuple(sorted({*hours.origins, *items.origins})),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A tile, what it is held against, how many times wider than independent clicks the truth is, and its rate without
    its best day."""

    kind: Kind
    tile: Tile
    base: Tile
    wider: float
    steady: Counts | None = None

    def clicks(self) -> Rate:
        """Return the clicks that are quoted: without the odd day, where days are known."""
        return self.tile.rate if self.steady is None else rate(self.steady[1], self.steady[0])

    def lift(self) -> tuple[float, float, float]:
        """Return the lift and the ends of its interval, without the odd day, where days are known."""
        mean, quoted = self.base.rate.value or 1.0, self.clicks()
        low, high = wilson(quoted.hits / self.wider, quoted.n / self.wider)
        return (quoted.value or 0.0) / mean, low / mean, high / mean

    def at_stake(self) -> float:
        """Return how many clicks it is away from what its base would give it."""
        return abs(self.tile.rate.hits - self.tile.rate.n * (self.base.rate.value or 0.0))

    def matters(self) -> bool:
        """Tell whether there is something to try: good hours, good items, poor items."""
        if not self.clicks().n:
            return False
        _, low, high = self.lift()
        if (self.tile.rate.value or 0.0) >= (self.base.rate.value or 0.0):
            return low >= WEAKEST
        return self.kind == "items" and self.tile.column != OTHER and high <= POOR


def _together(kept: Sequence[_Case], hours: Grid) -> list[_Case]:
    """Put good hours that follow each other on a day together: they are one thing to try."""
    matter = [one for one in kept if one.matters() and one.tile.column != OTHER]
    runs: list[list[_Case]] = []
    for one in sorted(
        (one for one in matter if one.kind == "hours"),
        key=lambda one: (hours.rows.index(one.tile.row), hours.columns.index(one.tile.column)),
    ):
        before = runs[-1][-1].tile if runs else None
        column = hours.columns.index(one.tile.column)
        if before and before.row == one.tile.row and hours.columns.index(before.column) == column - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [one for one in matter if one.kind == "items"] + [_run(one) for one in runs]


def _run(cases: Sequence[_Case]) -> _Case:
    if len(cases) == 1:
        return cases[0]
    tiles = [one.tile for one in cases]
    n, hits = sum(tile.impressions for tile in tiles), sum(tile.rate.hits for tile in tiles)
    whole = replace(
        tiles[0],
        column=f"{tiles[0].column[:2]}–{_ends(tiles[-1].column)}",
        impressions=n,
        clicks=hits,
        rate=rate(hits, n),
        members=tuple(member for tile in tiles for member in tile.members),
    )
    steady = [one.steady for one in cases if one.steady is not None]
    kept = (sum(n for n, _ in steady), sum(hits for _, hits in steady)) if len(steady) == len(cases) else None
    return _Case(cases[0].kind, whole, cases[0].base, max(one.wider for one in cases), kept)


def _by_day(one: _Case, days: Callable[[Tile], Sequence[Counts]]) -> _Case:
    """Return a case of position and item with its counts without the day that speaks for it most."""
    if one.kind == "hours":
        return one
    mean = one.base.rate.value or 0.0
    return replace(one, steady=standouts.steady(days(one.tile), mean, high=(one.tile.rate.value or 0.0) >= mean))


def _ends(column: str) -> str:
    """Return when a column of hours ends.

    >>> _ends("18"), _ends("12–18")
    ('19', '18')
    """
    return column[-2:] if len(column) > 2 else f"{int(column) + 1:02d}"


def _apart(told: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """Keep one suggestion a rule, the largest first: an item that stands out twice is tried once."""
    by_rule: dict[str, Suggestion] = {}
    for one in told:
        by_rule.setdefault(str(one.rule["key"]) if one.rule else one.evidence, one)
    return tuple(by_rule.values())[:MOST]


def _suggestion(one: _Case, *, campaign: str, zone: str, best: Sequence[str]) -> Suggestion:
    tile = one.tile
    lift, low, high = one.lift()
    against = "the campaign's mean" if one.kind == "hours" else f"the mean of position {tile.row}"
    where = f"{tile.row} {tile.column} h" if one.kind == "hours" else f"{tile.column} at position {tile.row}"
    quoted, whole = one.clicks(), (tile.rate.value or 0.0) / (one.base.rate.value or 1.0)
    odd = "best" if whole > 1 else "worst"
    evidence = (
        f"{where} is clicked {digits(lift, 2)} times {against} ({digits(low, 2)} to {digits(high, 2)}): "
        f"{percent(quoted.value)}, 95 % {interval(quoted.low, quoted.high)}, of {count(quoted.n)}"
        + (f", its {odd} day left out; {digits(whole, 2)} times with it" if one.steady is not None else "")
    )
    made = tries.rule(one.kind, tile, low=low, high=high, campaign=campaign, zone=zone, best=best)
    return Suggestion(kind=one.kind, tile=tile, lift=lift, low=low, high=high, rule=made, evidence=evidence)


def _best(known: Sequence[Sum]) -> tuple[str, ...]:
    """Return the items with the highest lower bound of click rate, of those shown often enough."""
    enough = [one for one in known if one.impressions >= FEWEST_SHOWN and one.clicks]
    ranked = sorted(enough, key=lambda one: (-wilson(one.clicks, one.impressions)[0], one.key))
    return tuple(one.key for one in ranked[:TRIED_ITEMS])
