"""How whole the data behind a heatmap is: time observed, impressions that came, for who may read metrics."""

import pytest

from dashboard.figures import tiles
from dashboard.figures.heatmap import heatmap
from dashboard.queries import completeness, heatmaps
from dashboard.queries.completeness import Part
from dashboard.queries.grids import build
from dashboard.span import Span
from dashboard.theme import theme
from storage import series
from storage.records.clock import HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Window
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.test_grids import cell
from tests.dashboard.week import NOW


def test_a_tile_is_as_whole_as_its_hours_together():
    grid = build([cell(0, 3, 1_000, 50), cell(1, 3, 1_000, 50)], heatmaps.HOUR_LEVELS[1])
    parts = {
        ("0", "0"): Part(ran_us=100, observed_us=100, decisions=10, shown=10),
        ("0", "3"): Part(ran_us=100, observed_us=50, decisions=10, shown=2),
        ("2", "3"): Part(decisions=4),
    }
    whole = completeness.told(grid, parts, heatmaps.places(grid, 0))
    monday, tuesday, wednesday = (whole.at(day, "00–06") for day in ("Mon", "Tue", "Wed"))
    assert (monday.observed, monday.reported.hits, monday.reported.n) == (0.75, 12, 20)
    assert tiles.complete(monday) == pytest.approx(0.6)
    assert (tuesday.observed, tuesday.reported, tiles.complete(tuesday)) == (None, None, None)
    assert (wednesday.mask, tiles.complete(wednesday)) == ("none", 0.0)
    assert "impressions came for 0 % of decisions" in tiles.hover(wednesday, "UTC")
    figure = heatmap(whole, "complete", theme("light"), zone="UTC", row_title="", column_title="")
    drawn = {text for trace in figure.data if trace.name.startswith("values") for line in trace.text for text in line}
    assert {"60 %", "0 %"} <= {text.split("<br>")[0].replace("60.0", "60") for text in drawn}


def test_time_that_nobody_observed_is_missing_and_unknown_time_is_not(sqlite_database):
    start = (NOW - HOUR) // HOUR * HOUR
    with sqlite_database.write() as write:
        for seq in (*range(60), *range(180, 360)):
            at = start + seq * 10 * SECOND
            series.store(
                write,
                "t0",
                Window(
                    replica="engine-0", boot_id="b", seq=seq, start=at, end=at + 10 * SECOND,
                    monotonic_us=10 * SECOND, counters=(Counter(name=completeness.REQUESTS, labels={}, value=1.0),),
                ),
            )  # fmt: skip
    span = Span(key="custom", start=start - 3 * HOUR, end=start + HOUR, zone="UTC", live=False)
    with sqlite_database.read() as read:
        parts = completeness.by_hour(read, campaign=None, span=span, rows="all")
    (part,) = [one for one in parts.values() if one.ran_us]
    assert part.ran_us == HOUR
    assert part.observed_us == HOUR - 20 * MINUTE


def test_who_may_read_metrics_colours_hours_by_completeness(week):
    app = run("heatmaps", surroundings(week, role="ops"), metric="Completeness", rows="All rows")
    assert not app.exception
    assert app.selectbox(key="metric").value == "complete"
    held = app.session_state["shown"].numbers["map-hours"][1]
    assert any(row["reported"] is not None or row["observed"] is not None for row in held)
    assert "Completeness cannot be drawn: it is known by hour only" in told(app)
    seen = run("heatmaps", surroundings(week, role="marketer"), metric="Completeness")
    assert "Completeness" not in seen.selectbox(key="metric").options
