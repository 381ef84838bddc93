"""Each figure on a page, recomputed with DuckDB from the raw rows that a real copy wrote down while it served."""

from typing import Any

import pytest

from dashboard.queries.grids import Grid, Tile
from dashboard.queries.rates import Rate
from tests.e2e.lived import ROWS, Lived
from tests.e2e.rawrows import CELL
from tests.e2e.visitors import CAMPAIGNS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

MARKS = {"real": ("live",), "simulated": ("simulated",), "all": ("live", "simulated")}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
RANGE = "quarter(seen) >= $a AND quarter(seen) < $b"


def about(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def is_rate(found: Rate, lived: Lived, hits: int, n: int) -> bool:
    """Tell whether a rate is this one, Wilson's interval included."""
    ((low, high),) = lived.rows(
        "SELECT wilson_low($k::DOUBLE, $n::DOUBLE), wilson_high($k::DOUBLE, $n::DOUBLE)", k=hits, n=n
    )
    told = (found.hits, found.n, found.value, found.low, found.high)
    return told == (hits, n, None if n == 0 else about(hits / n), about(low), about(high))


def test_every_habit_happened(lived: Lived) -> None:
    ((decisions, subjects, revisions),) = lived.rows(
        "SELECT count(*), count(DISTINCT subject), count(DISTINCT revision) FROM decision "
        "WHERE made BETWEEN $f AND $t AND campaign <> ''"  # the probe of consent names none
    )
    assert (decisions, revisions) == (lived.visitors.decided, 2)
    nameless = "SELECT count(*) FROM decision d WHERE campaign = '' AND "
    assert lived.rows(nameless + "(origin <> 'simulated' OR EXISTS (FROM event e WHERE e.decision = d.id))") == [(0,)]
    assert subjects > 40
    ((closed, late, aggregate, repeated),) = lived.rows(
        """SELECT (SELECT count(clicked) FROM impression WHERE seen < $s - 80000000000),
                  (SELECT count(*) FROM impression i JOIN event e ON e.decision = i.id AND e.item = i.item
                   WHERE e.type = 'click' AND e.happened - seen > patience),
                  (SELECT count(*) FROM event WHERE stored = 'aggregate' AND decision IS NULL AND subject IS NULL),
                  (SELECT count(*) - count(DISTINCT id) FROM event)"""
    )
    assert min(closed, late, aggregate) > 5
    assert repeated == 0
    ((touched,),) = lived.rows("SELECT count(DISTINCT id) FROM served WHERE origin = 'live' AND mark = 'simulated'")
    assert touched > 1
    duplicates = lived.rows(
        "SELECT sum(gained) FROM counter WHERE name = 'fairlead_events_received_total' AND start >= $s "
        "AND labels ->> 'result' = 'duplicate'"
    )
    assert duplicates == [(lived.visitors.repeated,)]


def test_overview_lines(lived: Lived) -> None:
    counted = {
        campaign: tuple(numbers)
        for campaign, *numbers in lived.rows(
            f"""SELECT campaign, count(clicked) FILTER (mark = 'live'), count(seen) FILTER (mark = 'live'),
                       count(clicked) FILTER (mark = 'simulated'), count(seen) FILTER (mark = 'simulated')
                FROM (SELECT campaign, seen, clicked, mark FROM impression WHERE {RANGE}
                      UNION ALL SELECT campaign, NULL, NULL, NULL FROM decision WHERE made >= $a AND made < $b)
                GROUP BY campaign"""
        )
    }
    expected = dict.fromkeys(lived.said["known"], (0, 0, 0, 0)) | counted
    decisions = {
        campaign: (n, by_model)
        for campaign, n, by_model in lived.rows(
            """SELECT campaign, count(*), count(*) FILTER (served_by = 'model')
               FROM decision WHERE made >= $a AND made < $b GROUP BY campaign"""
        )
    }
    last = dict(
        lived.rows(
            f"""SELECT campaign, max(t) FROM (
                  SELECT campaign, greatest(seen, coalesce(clicked, seen)) AS t FROM impression WHERE {RANGE}
                  UNION ALL SELECT campaign, made FROM decision WHERE made >= $a AND made < $b) GROUP BY campaign"""
        )
    )
    seen = lived.rows("SELECT DISTINCT campaign FROM impression WHERE made BETWEEN $f AND $t")
    assert {key for (key,) in seen} == set(CAMPAIGNS)  # those of the visitors; the probe's answers nobody sees
    assert {line.key for line in lived.said["lines"]} == expected.keys()
    for line in lived.said["lines"]:
        real, real_n, made, made_n = expected[line.key]
        n, by_model = decisions.get(line.key, (0, 0))
        assert is_rate(line.clicks, lived, real, real_n)
        assert is_rate(line.simulated, lived, made, made_n)
        assert is_rate(line.scorer_share, lived, by_model, n)
        assert line.decisions == n
        assert line.last_at == last.get(line.key, 0)
    order = sorted(expected, key=lambda key: (-expected[key][1] - expected[key][3], key))
    assert [line.key for line in lived.said["lines"]] == order


HITS = f"""
SELECT campaign, count(*) FILTER (hit), count(*) FROM (
  SELECT id, campaign, min(seen) AS first, bool_or(clicked IS NOT NULL) AS hit FROM impression
  WHERE mark = 'live' AND {RANGE} GROUP BY id, campaign)
WHERE first < $t - 25 * 3600000000 GROUP BY campaign
"""
"""A window closes a day and ten minutes after its end; this copy saw nothing between 24 and 26 hours ago."""


def test_hit_rate_is_of_closed_windows(lived: Lived) -> None:
    expected = lived.rows(HITS)
    assert len(expected) == 3
    for key, hits, n in expected:
        found = lived.said["hits"][key]
        assert (found.hits, found.n, found.value) == (hits, n, about(hits / n))
        assert found.open_n > 0


def test_hit_rate_on_overview(lived: Lived) -> None:
    told = {line.key: line.hits for line in lived.said["lines"]}
    for key, hits, n in lived.rows(HITS):
        assert is_rate(told[key], lived, hits, n)


def test_impressions_by_origin_and_over_time(lived: Lived) -> None:
    sums = lived.rows(f"SELECT mark, count(*), count(clicked) FROM impression WHERE {RANGE} GROUP BY mark")
    told = {origin: (cell.impressions, cell.clicks) for origin, cell in lived.said["origins"].items()}
    assert told == {mark: (n, clicks) for mark, n, clicks in sums}
    steps = lived.rows(
        f"""WITH cell AS (
              SELECT mark, quarter(seen) AS q, 1 AS n, (clicked IS NOT NULL)::INT AS k FROM impression WHERE {RANGE}
              UNION ALL SELECT mark, quarter(made), 0, 0 FROM marked WHERE made >= $a AND made < $b),
            step AS (SELECT unnest([15, 30, 60, 120, 180, 360, 1440]) * 60000000::BIGINT AS step),
            width AS (
              SELECT mark, (SELECT min(step) FROM step WHERE 60 * step >= max(q) + {CELL} - min(q)) AS step
              FROM cell GROUP BY mark)
            SELECT mark, q - q % step, sum(n)::BIGINT, sum(k)::BIGINT FROM cell JOIN width USING (mark)
            GROUP BY ALL HAVING sum(n) > 0 ORDER BY ALL"""
    )
    told_steps = [
        (origin, *point) for origin, points in sorted(lived.said["over time"].items()) for point in points if point[1]
    ]
    assert told_steps == steps


PLACED = f"""
WITH chosen AS (
  SELECT *, (seen // 3600000000 + 9) // 24 AS day, mod(seen // 3600000000 + 9, 24) AS hour FROM impression
  WHERE {RANGE} AND list_contains($marks, mark) AND ($campaign IS NULL OR campaign = $campaign)
), ranked AS (
  SELECT item, row_number() OVER (ORDER BY count(*) DESC, item) AS rank FROM chosen GROUP BY item
), placed AS (
  SELECT chosen.*, %s AS r, %s AS c FROM chosen JOIN ranked USING (item)
)
SELECT r, c, count(*), count(clicked), count(DISTINCT subject), max(greatest(seen, coalesce(clicked, seen)))
FROM placed WHERE r IS NOT NULL GROUP BY r, c
"""
TOKYO = PLACED % ("list_extract($days, 1 + mod(day + 3, 7)::INT)", "printf('%02d', hour)")
ITEMS = PLACED % ("place::VARCHAR", "CASE WHEN rank <= 50 THEN item ELSE 'other' END")
SEGMENTS = PLACED % ("context ->> $attribute", "campaign")


def shown(tile: Tile, lived: Lived, expected: tuple[int, ...], *, total: tuple[int, int], base: float | None) -> bool:
    """Tell whether a tile holds these counts, with the rate, lift and doubt that follow from them."""
    n, clicks, people, last = expected
    mean = total[1] / total[0]
    doubt = "few" if n * mean < 10 else "low" if n * mean < 20 else "ok"
    masks = {"private"} if 0 < people < 50 else {doubt, "private"}
    counted = (tile.impressions, tile.clicks, tile.conversions) == (n, clicks, clicks)
    known = tile.users == (people or None) or people >= 64 or tile.column == "other"
    lift = about(clicks / n / base) if base else None
    ours = (tile.lift, tile.share, tile.expected) == (lift, about(n / total[0]), about(n * mean))
    return (
        counted
        and known
        and ours
        and tile.mask in masks
        and tile.last_at >= last
        and is_rate(tile.rate, lived, clicks, n)
    )


def same_grid(grid: Grid, lived: Lived, cells: list[tuple[Any, ...]], *, by_row: bool = False) -> None:
    """Compare every tile and every total."""
    total = (sum(cell[2] for cell in cells), sum(cell[3] for cell in cells))
    places = {(row, column): tuple(rest) for row, column, *rest in cells}
    assert {(tile.row, tile.column) for tile in grid.tiles if tile.impressions} == places.keys()
    assert (grid.total.impressions, grid.total.clicks) == total
    rows: dict[str, tuple[int, int]] = {}
    for row, _, n, clicks, *_ in cells:
        before = rows.get(row, (0, 0))
        rows[row] = (before[0] + n, before[1] + clicks)
    for tile in grid.tiles:
        if tile.impressions:
            shown_n, hits = rows[tile.row] if by_row else total
            assert shown(tile, lived, places[tile.row, tile.column], total=total, base=hits / shown_n), tile
        else:
            assert (tile.clicks, tile.mask, tile.rate.value) == (0, "none", None)
    told = {tile.row: (tile.impressions, tile.clicks) for tile in grid.row_totals if tile.impressions}
    assert told == rows


@pytest.mark.parametrize("campaign", [None, "men"])
@pytest.mark.parametrize("rows", ROWS)
def test_hours_by_weekdays_in_tokyo(lived: Lived, rows: str, campaign: str | None) -> None:
    cells = lived.rows(TOKYO, marks=list(MARKS[rows]), campaign=campaign, days=list(DAYS))
    grid = lived.said["grids"]["hours", rows, campaign]
    assert len(cells) > (rows != "simulated")
    same_grid(grid, lived, cells)


@pytest.mark.parametrize("campaign", [None, "men"])
@pytest.mark.parametrize("rows", ROWS)
def test_positions_by_items(lived: Lived, rows: str, campaign: str | None) -> None:
    cells = lived.rows(ITEMS, marks=list(MARKS[rows]), campaign=campaign)
    grid = lived.said["grids"]["items", rows, campaign]
    assert len(cells) > 5
    same_grid(grid, lived, cells, by_row=True)


@pytest.mark.parametrize("attribute", ["user_feature_0", "user_feature_1"])
@pytest.mark.parametrize("rows", ROWS)
def test_segments_by_campaigns(lived: Lived, rows: str, attribute: str) -> None:
    cells = lived.rows(SEGMENTS, marks=list(MARKS[rows]), campaign=None, attribute=attribute)
    grid = lived.said["grids"]["segments", rows, attribute]
    assert len(cells) > 5
    same_grid(grid, lived, cells)
