"""Minutes of indicators equal what windows counted; a burn of real windows fires, and what differs most is named."""

from typing import Any

import pytest

from governance.alerts import objectives, rounds
from governance.alerts.indicators import INDICATORS, gather, keep, top
from storage import alerts, indicators, series
from storage.database import Database
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Histogram, Window
from tests.governance.conftest import NOW

START = NOW // HOUR * HOUR
EDGES = (0.01, 0.05, 0.2, 1.0, 15.0)


def window(seq: int, *, good: int = 10, bad: int = 0, slow: int = 0, replica: str = "engine-0", **more: Any) -> Window:
    http, decisions = "fairlead_http_requests_total", "fairlead_decision_requests_total"
    labels = {"route": "/v1/personalize", "method": "POST"}
    told = {"campaign": "men"}
    start = START + seq * 10 * SECOND
    return Window(
        replica=replica,
        boot_id="boot",
        seq=seq,
        start=start,
        end=start + 10 * SECOND,
        monotonic_us=10 * SECOND,
        counters=(
            Counter(name=http, labels=labels | {"status_class": "2xx"}, value=float(good)),
            Counter(name=http, labels=labels | {"status_class": "5xx"}, value=float(bad)),
            Counter(name=http, labels=labels | {"route": "/readyz", "status_class": "5xx"}, value=3.0),
            Counter(name=decisions, labels=told | {"outcome": "default", "reason": "no_consent"}, value=float(good)),
            Counter(name=decisions, labels=told | {"outcome": "error", "reason": "dependency"}, value=float(bad)),
            Counter(name=decisions, labels=told | {"outcome": "error", "reason": "invalid"}, value=3.0),
        ),
        histograms=(
            Histogram(
                name="fairlead_decision_duration_seconds",
                labels={"outcome_class": "ok"},
                edges=EDGES,
                counts=(good - slow, 0, slow, 0, 0, 0),
                sum=1.0,
            ),
        ),
        gauges=(),
        **more,
    )


def store(database: Database, *windows: Window) -> None:
    with database.write() as write:
        for each in windows:
            series.store(write, "t0", each)


def refresh(database: Database, now: int) -> int:
    with database.read() as read:
        batch = gather(read, now=now)
    if batch is None:
        return 0
    with database.write() as write:
        return keep(write, batch, now=now)


def counted(database: Database, name: str, start: int, end: int) -> tuple[int, int]:
    with database.read() as read:
        return indicators.counted(read, name, start=start, end=end)


def test_before_anything_was_collected_there_is_nothing(database: Database) -> None:
    assert refresh(database, START) == 0
    with database.read() as read:
        (first, *_) = objectives.standings(read, now=START)
    assert first.budget.left is None and not any(burn.fires for burn in first.burns)


def test_minutes_hold_what_windows_counted(database: Database) -> None:
    store(database, *(window(seq, bad=seq % 3, slow=2) for seq in range(60)))
    refresh(database, START + 10 * MINUTE)
    assert counted(database, "availability", START, START + HOUR) == (600, 660)
    assert counted(database, "availability", START + MINUTE, START + 2 * MINUTE) == (60, 66)
    assert counted(database, "http", START, START + HOUR) == (600, 660)
    assert counted(database, "latency", START, START + HOUR) == (480, 600)
    assert counted(database, "latency_tail", START, START + HOUR) == (600, 600)
    assert counted(database, "quality", START, START + HOUR) == (0, 0)


def test_reading_again_changes_nothing_and_what_came_late_counts(database: Database) -> None:
    store(database, *(window(seq) for seq in range(12)))
    refresh(database, START + 2 * MINUTE)
    refresh(database, START + 2 * MINUTE + SECOND)
    assert counted(database, "availability", START, START + HOUR) == (120, 120)
    store(database, window(13, bad=5), window(3, bad=1, replica="engine-1"))
    refresh(database, START + 3 * MINUTE)
    assert counted(database, "availability", START, START + HOUR) == (140, 146)
    store(database, window(5, bad=2, replica="engine-1"))
    refresh(database, START + 40 * MINUTE)
    assert counted(database, "availability", START, START + HOUR) == (150, 158)


def test_a_long_past_is_read_a_day_at_a_time(database: Database) -> None:
    store(database, window(0, bad=1), window(3 * 8_640, bad=2))
    with database.write() as write:
        series.roll_up(write, "t1", now=START + 3 * DAY + HOUR)
    for _ in range(5):
        refresh(database, START + 3 * DAY + HOUR)
    assert counted(database, "availability", START, START + 4 * DAY) == (20, 23)


def test_what_differs_most_is_named(database: Database) -> None:
    store(database, *(window(seq, bad=1) for seq in range(6)))
    store(database, *(window(seq, bad=9, replica="engine-1") for seq in range(6)))
    with database.read() as read:
        found = top(read, INDICATORS["http"], start=START, end=START + MINUTE)
        reason = top(read, INDICATORS["availability"], start=START, end=START + MINUTE)
        by_replica = top(read, INDICATORS["latency"], start=START, end=START + MINUTE)
    assert found == "route /v1/personalize: 60 of 60 bad ones, 33.3% of its own 180"
    assert reason == "campaign men: 60 of 60 bad ones, 33.3% of its own 180"
    assert by_replica == ""


def test_a_real_burn_fires_and_is_over_when_it_is_over(database: Database) -> None:
    store(database, *(window(seq, good=98, bad=2) for seq in range(360)))
    now = START + HOUR
    fired = {one.fingerprint: one for one in rounds.look(database, now=now).fired}
    assert set(fired) == {"slo:availability"}
    told = fired["slo:availability"]
    assert (told.severity, told.slo) == ("page", "availability")
    assert "burns 20.0× over 1 h, 20.0× over 5 min" in told.sentence and "-1,900%" in told.sentence
    assert told.top.startswith("campaign men: 720 of 720")
    store(database, *(window(seq, good=100) for seq in range(360, 360 + 6 * 6)))
    later = now + 6 * MINUTE
    rounds.look(database, now=later)
    with database.read() as read:
        (still,) = alerts.unresolved(read)
    assert "6 h, " in still.sentence, "the next window still burns"
    store(database, *(window(seq, good=100) for seq in range(396, 396 + 6 * 50)))
    for at in (later + 49 * MINUTE, later + 50 * MINUTE):
        rounds.look(database, now=at)
    with database.read() as read:
        (slow,) = alerts.unresolved(read)
    assert "3 d, " in slow.sentence and slow.severity == "look"


@pytest.mark.parametrize("good", [1, 100])
def test_one_bad_request_wakes_nobody(database: Database, good: int) -> None:
    store(database, *(window(seq, good=good, bad=int(seq == 355)) for seq in range(360)))
    assert rounds.look(database, now=START + HOUR).fired == ()
