"""What pages read, against rows that were written: every figure recomputed by hand."""

import pytest

from dashboard.queries import consent, heatmaps, live, marks, overview, system
from dashboard.queries.rates import rate
from dashboard.span import resolve
from storage.records.clock import HOUR, SECOND
from tests.dashboard.week import NOW, PAYLOAD, cell, put, week_of_cells

WEEK = resolve("7d", now=NOW, zone="UTC")
HOUR_SPAN = resolve("1h", now=NOW, zone="UTC")


def test_campaigns_keep_simulated_rows_apart(filled):
    with filled.read() as read:
        lines = {line.key: line for line in overview.campaign_lines(read, span=WEEK)}
    rows = [row for row in week_of_cells() if row.cube == "time" and row.start >= WEEK.start]
    for key in ("men", PAYLOAD):
        real = [row for row in rows if row.campaign == key and row.origin == "live"]
        assert lines[key].clicks == rate(sum(row.clicks for row in real), sum(row.impressions for row in real))
    assert lines["men"].simulated.n == sum(row.impressions for row in rows if row.origin == "simulated")
    assert lines[PAYLOAD].simulated.n == 0


def test_each_origin_has_a_time_of_its_own(sqlite_database):
    put(
        sqlite_database,
        [
            cell(0, "time", origin="imported", impressions=3),
            cell(NOW - NOW % (900 * SECOND), "time", impressions=5, clicks=1),
        ],
    )
    with sqlite_database.read() as read:
        found = overview.over_time(read, span=resolve("all", now=NOW, zone="UTC", data=(0, NOW)))
    assert found["imported"] == ((0, 3, 0),)
    assert [(n, hits) for _, n, hits in found["live"]] == [(5, 1)]


def test_who_is_alive_is_counted_against_the_newest_revision(filled):
    with filled.read() as read:
        assert overview.liveness(read, now=NOW).sentence == "revision 1 live on 1 of 1"
        late = overview.liveness(read, now=NOW + 60 * SECOND)
    assert (late.n, late.sentence) == (0, "no engine reports")


@pytest.mark.parametrize("rows", ["real", "simulated", "all"])
def test_heatmaps_hold_the_rows_that_were_asked_for(filled, rows):
    wanted = {"real": {"live"}, "simulated": {"simulated"}, "all": {"live", "simulated"}}[rows]
    with filled.read() as read:
        grid = heatmaps.by_hour(read, campaign="men", span=WEEK, rows=rows)
    written = [row for row in week_of_cells() if row.cube == "time" and row.campaign == "men" and row.origin in wanted]
    inside = [row for row in written if WEEK.start <= row.start < WEEK.end]
    assert grid.total.impressions == sum(row.impressions for row in inside)
    assert grid.total.clicks == sum(row.clicks for row in inside)
    assert set(grid.origins) == wanted


def test_segments_are_of_one_attribute(filled):
    with filled.read() as read:
        assert heatmaps.attributes(read, span=WEEK, rows="real") == ("age",)
        grid = heatmaps.by_segment(read, attribute="age", span=WEEK, rows="real")
        assert heatmaps.by_segment(read, attribute="none", span=WEEK, rows="real").total.impressions == 0
    assert set(grid.rows) == {"old", PAYLOAD}
    assert set(grid.columns) == {"men", PAYLOAD}


def test_positions_and_items_have_their_own_grid(filled):
    with filled.read() as read:
        grid = heatmaps.by_position_item(read, campaign="men", span=WEEK, rows="real", level="finest")
    assert set(grid.rows) == {"1", "2", "3"}
    assert PAYLOAD in grid.columns


def test_the_pulse_counts_what_was_observed_and_no_more(filled):
    with filled.read() as read:
        now = live.pulse(read, span=HOUR_SPAN)
        gaps = live.gaps(read, span=HOUR_SPAN)
    observed = [seq for seq in range(1, 360) if not 100 <= seq < 160]
    errors = sum(seq % 50 == 0 for seq in observed)
    assert now.per_second.n == 40 * len(observed)
    assert now.per_second.value == pytest.approx(4.0)
    assert now.errors.value == pytest.approx(errors / (40 * len(observed) + errors), rel=1e-9)
    assert now.fallback.value == pytest.approx(0.1, rel=0.01)
    assert now.cache_hits.value == pytest.approx(0.75)
    assert now.coverage == pytest.approx(5 / 6, abs=0.02)
    assert now.p50.value is not None
    assert 0.0075 < now.p50.value <= 0.01
    assert now.p99.value is not None
    assert 0.03 < now.p99.value <= 0.04
    assert any(end - start >= 9 * 60 * SECOND for start, end in gaps)
    assert any(value is None for _, value in now.per_second.points)
    assert all(value != 0 for _, value in now.per_second.points)


def test_no_engine_is_unknown_never_zero(sqlite_database):
    with sqlite_database.read() as read:
        now = live.pulse(read, span=HOUR_SPAN)
        state = consent.state(read, span=HOUR_SPAN, now=NOW)
    assert now.per_second.value is None
    assert now.errors.value is None
    assert now.as_of is None
    assert now.p99.reason == "empty"
    assert state.violations is None


def test_outcomes_stages_caches_and_confidence(filled):
    with filled.read() as read:
        assert set(live.outcomes(read, span=HOUR_SPAN)) == {"model", "default"}
        [(name, p95, share)] = live.stages(read, span=HOUR_SPAN)
        [(cache, hits)] = live.caches(read, span=HOUR_SPAN)
        edges, now, _ = live.confidence(read, span=HOUR_SPAN)
    assert (name, share, p95.reason) == ("score", 1.0, "ok")
    assert (cache, hits.value) == ("profile", 0.75)
    assert edges[now.index(max(now))] == pytest.approx(0.6)


def test_a_latency_step_is_wide_enough_for_a_p95_and_leaves_eight():
    assert live.latency_step_us(HOUR_SPAN, 4.0) == 70 * SECOND
    assert live.latency_step_us(HOUR_SPAN, 0.01) == HOUR // 8
    assert live.latency_step_us(HOUR_SPAN, None) == live.step_us(HOUR_SPAN)


def test_what_happened_is_marked_within_the_range(filled):
    with filled.read() as read:
        assert [mark.text for mark in marks.marks(read, span=HOUR_SPAN)] == ["engine-0 started"]
        assert marks.marks(read, span=resolve("15m", now=NOW, zone="UTC")) == ()


def test_consent_in_sums(filled):
    with filled.read() as read:
        state = consent.state(read, span=HOUR_SPAN, now=NOW)
    assert (state.violations, state.replicas, state.oldest_epoch) == (0, 1, 0)
    assert state.defaults["personalization"] == "deny"
    assert state.checks["granted"] > 0


def test_the_machinery(filled):
    with filled.read() as read:
        state = system.state(read)
    assert [beat.name for beat in state.heartbeats if beat.error] == ["roll-up"]
    assert state.dead_letter_count == 0
