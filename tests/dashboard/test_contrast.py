"""A window against its baseline: what differs is ranked with intervals, chance is not, and a spike is found."""

import numpy as np
import pytest

from dashboard.queries import contrast, live, spikes
from dashboard.queries.contrast import compare, contrasts, newcombe
from dashboard.queries.rates import rate
from dashboard.span import resolve
from storage import series
from storage.records.clock import HOUR, MINUTE, SECOND
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, cell, put, window

HOUR_SPAN = resolve("1h", now=NOW, zone="UTC")


def test_where_nothing_differs_hardly_anything_is_called_different():
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(300):
        shares = rng.dirichlet(np.ones(8))
        here, rest = rng.multinomial(400, shares), rng.multinomial(4_000, shares)
        values = {str(place): (int(a), int(b)) for place, (a, b) in enumerate(zip(here, rest, strict=True))}
        found += any(one.sure for one in contrasts({("replica", "decisions"): values}))
    print(f"{found} of 300 windows that are like the rest are called different")
    assert found <= 0.05 * 300 + 3 * (300 * 0.05 * 0.95) ** 0.5


def test_what_differs_most_comes_first_with_its_interval():
    found = contrasts(
        {
            ("replica", "decisions"): {"a": (700, 500), "b": (300, 500)},
            ("reason", "decisions"): {"ok": (990, 992), "no_consent": (10, 8)},
        }
    )
    assert [(one.dimension, one.sure) for one in found] == [
        ("replica", True), ("replica", True), ("reason", False), ("reason", False),
    ]  # fmt: skip
    (one,) = [one for one in found if one.value == "a"]
    assert one.difference == pytest.approx(0.2)
    assert (one.low, one.high) == newcombe(rate(700, 1000), rate(500, 1000))
    assert one.low < 0.2 < one.high
    assert (one.here.n, one.rest.n) == (1000, 1000)


def test_nothing_to_compare_with_is_nothing():
    assert contrasts({("replica", "decisions"): {"a": (5, 0)}}) == ()
    assert contrast.outside((0, 30), (0, 30)) == []


def test_counts_are_those_of_engines_and_cells(filled):
    first = NOW - NOW % (15 * MINUTE) - 2 * HOUR
    put(
        filled,
        [
            cell(start, "segment", campaign="w", a=f"device={value}", b="w", impressions=n)
            for start, sizes in ((first, (80, 20)), (first + HOUR, (50, 50)))
            for value, n in zip(("phone", "desk"), sizes, strict=True)
        ],
    )
    here, rest = [(NOW - HOUR // 2, NOW)], [(NOW - HOUR, NOW - HOUR // 2)]
    with filled.read() as read:
        found = compare(read, here=here, rest=rest)
        by_reason = {one.value: one for one in found if one.dimension == "reason"}
        whole = series.total(read, live.REQUESTS, start=here[0][0], end=NOW, by=("reason",))
        devices = compare(read, here=[(first, first + HOUR)], rest=[(first + HOUR, first + 2 * HOUR)], hidden=("age",))
    for step in whole:
        assert by_reason[step.labels["reason"]].here.hits == step.value
    assert {one.value: (one.here.hits, one.rest.hits) for one in devices if one.dimension == "device"} == {
        "phone": (80, 50),
        "desk": (20, 50),
    }
    assert not [one for one in devices if one.dimension == "age"]


def test_a_burst_is_a_spike_and_a_steady_hour_has_none(sqlite_database):
    with sqlite_database.write() as write:
        for seq in range(360):
            series.store(write, "t0", window(seq, decisions=400 if 200 <= seq < 206 else 40))
    with sqlite_database.read() as read:
        now = live.pulse(read, span=HOUR_SPAN)
    found = spikes.spikes(now, HOUR_SPAN.end)
    assert found[0].figure == "decisions/s"
    burst = NOW - NOW % (10 * SECOND) - (360 - 200) * 10 * SECOND
    assert any(one.start - MINUTE <= burst <= one.end + MINUTE for one in found)
    assert spikes.of("steady", tuple((at, 4.0) for at in range(20)), 20) == []
    assert spikes.of("short", ((0, 1.0), (1, 99.0)), 2) == []


def test_live_says_what_differs_and_what_coincides(week):
    app = run("live", surroundings(week), range="Last 15 min", refresh="Off")
    assert not app.exception
    assert "**Coincides with this range**" in told(app)
    assert "differ beyond chance" in told(app)
    assert "caused by" not in told(app)
