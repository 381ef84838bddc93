"""Figures as pure functions: what they hold, what they never hold."""

import ast
import itertools
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import plotly.graph_objects as go
import pytest

from dashboard.figures import bars, heatmap, lines, tiles
from dashboard.queries.grids import build
from dashboard.queries.heatmaps import HOUR_LEVELS
from dashboard.queries.marks import Mark
from dashboard.span import LABELS, window
from dashboard.theme import SEQUENTIAL, contrast, legible, shade, theme
from storage.records.clock import HOUR, MINUTE, SECOND
from tests.dashboard.test_grids import cell, flat
from tests.dashboard.week import PAYLOAD

LOOK = theme("light")
PANELS = Path(bars.__file__).parent.parent / "panels"


def drawn(grid, metric="rate"):
    return heatmap.heatmap(grid, metric, LOOK, zone="UTC", row_title="", column_title="hour")


def mixed():
    """One cell of each kind: shown, hatched, masked, private (two), nothing."""
    return build(
        [
            cell(0, 0, 50_000, 1000),
            cell(0, 1, 700, 14),
            cell(1, 0, 100, 2),
            cell(1, 1, 9_000, 180, users=3),
            cell(2, 0, 9_000, 180, users=3),
        ],
        flat(3, 2),
    )


def test_every_cell_can_be_clicked_and_names_its_tile():
    grid = build([cell(a, b, 1_000, 20) for a in range(7) for b in range(24)], HOUR_LEVELS[0])
    figure = drawn(grid)
    markers = figure.data[-1]
    assert markers.type == "scatter"
    assert set(markers.customdata) == set(range(len(grid.tiles)))
    for x, y, place in zip(markers.x, markers.y, markers.customdata, strict=True):
        assert grid.tiles[place] == grid.at(grid.rows[y], grid.columns[round(x)])


@pytest.mark.parametrize("metric", list(tiles.METRICS))
def test_no_masked_cell_has_a_colour_or_a_rate(metric):
    grid = mixed()
    figure = drawn(grid, metric)
    coloured = {
        (y, x)
        for layer in figure.data[:2]
        for y, line in enumerate(layer.z)
        for x, z in enumerate(line)
        if z is not None
    }
    for place, tile in enumerate(grid.tiles):
        at = divmod(place, len(grid.columns))
        if tile.mask in {"private", "none"}:
            assert at not in coloured
        if tile.mask == "few" and metric != "impressions":
            assert at not in coloured
            assert "%" not in tiles.words(tile, metric)


def test_a_private_cell_tells_nothing():
    private = next(tile for tile in mixed().tiles if tile.mask == "private")
    told = tiles.hover(private, "UTC") + tiles.words(private, "rate")
    for number in (private.impressions, private.clicks):
        assert str(number) not in told.replace("50", "")
        assert f"{number:,}" not in told
    row = tiles.rows(mixed())[[tile.mask for tile in mixed().tiles].index("private")]
    assert row["n"] is None
    assert row["clicks"] is None
    assert row["click_rate"] is None


def test_doubt_is_hatched_as_well_as_grey():
    grid = mixed()
    doubtful = sum(tile.mask in {"low", "few", "private"} for tile in grid.tiles)
    shapes = drawn(grid).layout.shapes
    assert sum(shape.path.count("M") for shape in shapes) == 4 * doubtful
    assert len(shapes) <= 2, "one path for each strength, however many tiles"


def test_every_rate_in_the_table_carries_n_and_interval():
    for row in tiles.rows(mixed()):
        assert {"n", "low", "high"} <= row.keys()
        if row["click_rate"] is not None:
            assert row["low"] <= row["click_rate"] <= row["high"]


def test_large_grids_carry_no_text_and_too_large_ones_are_refused():
    large = build([cell(a, b, 10_000, 200) for a in range(21) for b in range(20)], flat(21, 20))
    assert not any(text for line in drawn(large).data[0].text for text in line)
    with pytest.raises(ValueError, match="at most 10000"):
        drawn(replace(large, tiles=large.tiles * 30))


def test_names_reach_a_figure_escaped():
    grid = build([cell(0, 0, 10_000, 200)], flat(1, 1))
    nasty = replace(
        grid, rows=(PAYLOAD,), columns=(PAYLOAD,), tiles=(replace(grid.tiles[0], row=PAYLOAD, column=PAYLOAD),)
    )
    for text in (drawn(nasty).to_json(), tiles.hover(nasty.tiles[0], "UTC")):
        assert "<script" not in text
        assert "\\u003cscript" not in text


def test_the_text_of_a_heatmap_says_best_and_worst():
    grid = build([cell(0, 0, 50_000, 1000), cell(1, 0, 50_000, 500), cell(2, 0, 90, 0)], flat(3, 1))
    said = tiles.alt(grid, "rate", "hour")
    assert "Highest click rate 2.0 % at 0, 0; lowest 1.0 % at 1, 0; 1 cells masked." in said
    assert "no cell carries enough" in tiles.alt(build([cell(0, 0, 5, 1)], flat(1, 1)), "rate", "hour")


def test_a_gap_is_a_break_never_zero_and_never_bridged():
    points = tuple((at * MINUTE, None if 5 <= at < 15 else 2.0) for at in range(30))
    figure = lines.lines({"rate": points}, LOOK, zone="UTC", unit="/s", gaps=[(5 * MINUTE, 15 * MINUTE)])
    line = figure.data[0]
    assert line.connectgaps is False
    assert list(line.y[5:15]) == [None] * 10
    assert 0 not in line.y
    (band,) = figure.layout.shapes
    assert band.path == "M1970-01-01_00:05:00.000,0V1H1970-01-01_00:15:00.000V0Z"


def test_many_gaps_and_marks_are_one_path_each():
    gaps = [(at * MINUTE, at * MINUTE + 30) for at in range(9)]
    marks = [Mark(at=at * MINUTE, text=str(at)) for at in range(7)]
    figure = lines.lines({"x": ((0, 1.0), (MINUTE, 2.0))}, LOOK, zone="UTC", unit="", marks=marks, gaps=gaps)
    assert [shape.path.count("M") for shape in figure.layout.shapes] == [9, 7]
    assert len(figure.layout.annotations) == 7


def test_time_before_the_first_value_is_left_out():
    points = tuple((at * MINUTE, None if at < 20 else 1.0) for at in range(30))
    assert len(lines.lines({"x": points}, LOOK, zone="UTC", unit="/s").data[0].x) == 10


def test_what_happened_is_marked_with_its_name_escaped():
    figure = lines.lines({"x": ((0, 1.0), (MINUTE, 2.0))}, LOOK, zone="UTC", unit="", marks=[Mark(at=30, text=PAYLOAD)])
    assert len(figure.layout.shapes) == 1
    assert "<script" not in figure.layout.annotations[0].text


def test_a_marks_name_stands_where_there_is_room_for_it():
    points = tuple((at * MINUTE, 1.0) for at in range(30))
    marks = [Mark(at=at * MINUTE, text=str(at)) for at in (2, 28)]
    early, late = lines.lines({"x": points}, LOOK, zone="UTC", unit="", marks=marks).layout.annotations
    assert (early.xanchor, late.xanchor) == ("left", "right")
    assert early.xshift > 0 > late.xshift


def test_a_mark_leads_to_the_seconds_of_the_ledger_that_hold_it_and_to_nowhere_else():
    flip = Mark(at=30 * MINUTE, text=PAYLOAD, revision=7)
    (label,) = lines.lines({"x": ((0, 1.0), (HOUR, 2.0))}, LOOK, zone="UTC", unit="", marks=[flip]).layout.annotations
    (address,) = re.findall(r'href="([^"]*)"', label.text)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert urlsplit(address).path == "/ledger"
    start, end = window(asked["from"], asked["to"])
    assert start <= flip.at < end
    assert end - start == 2 * SECOND
    assert asked["range"] == LABELS["fixed"]


def test_every_chart_over_time_is_given_what_happened():
    """Figures over time take ``marks``; no panel draws one without."""
    drawn_over_time = {"lines", "lines.lines", "drawn.buckets", "strips"}
    calls = [
        (path.name, node)
        for path in sorted(PANELS.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in drawn_over_time
        and {"zone", "start"} & {one.arg for one in node.keywords}
    ]
    assert len(calls) >= 5
    assert [name for name, node in calls if "marks" not in {one.arg for one in node.keywords}] == []


def test_lines_differ_in_dash_as_well_as_colour():
    figure = lines.lines(dict.fromkeys("abcdef", ((0, 1.0),)), LOOK, zone="UTC", unit="")
    assert len({trace.line.dash for trace in figure.data}) == 6
    assert len({trace.line.color for trace in figure.data}) == 6


def test_lines_in_words_tell_gaps_from_zero():
    assert lines.alt({"a": ((0, None),)}, "Rate", "/s") == "Rate over time. a: no data"
    assert "rising" in lines.alt({"a": tuple((n, float(n)) for n in range(10))}, "Rate", "/s")


def test_groups_show_interval_count_and_the_screening_line():
    groups = [bars.Estimate(name=PAYLOAD, value=0.9, low=0.7, high=1.2, n=4000)]
    figure = bars.estimates(groups, LOOK, title="ratio", reference=(1.0, "equal"), share=False, screen=0.8)
    assert figure.data[0].error_x.array == pytest.approx([0.3])
    texts = [one.text for one in figure.layout.annotations]
    assert "n 4.0k" in texts
    assert any("four-fifths" in text for text in texts)
    assert "<script" not in figure.to_json()


def test_no_figure_uses_webgl():
    figures = [
        drawn(mixed()),
        bars.histogram(["a"], [("x", [1.0])], LOOK, title="t"),
        bars.reliability([(0.5, 0.5, 9)], LOOK),
    ]
    assert not any("gl" in trace.type for trace in itertools.chain.from_iterable(one.data for one in figures))
    assert all(isinstance(one, go.Figure) for one in figures)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_tokens_are_legible(mode):
    look = theme(mode)
    for ground in (look.ground, look.panel):
        assert contrast(look.ink, ground) >= 12
        assert contrast(look.muted, ground) >= 5.9
        for colour in (look.accent, look.good, look.warn, look.bad, look.info):
            assert contrast(colour, ground) >= 4.5
        for colour in look.series:
            assert contrast(colour, ground) >= 4.2


@pytest.mark.parametrize("place", range(0, 101, 5))
def test_text_on_the_scale_is_legible(place):
    colour = shade(SEQUENTIAL, place / 100)
    assert contrast(legible(colour), colour) >= 4.5
