"""A database as a week of work leaves it."""

from typing import Any

from storage import cells, sketches
from storage.database import Database
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Histogram, Window
from storage.tables.observed import CellRow

NOW = 1_795_000_000 * SECOND
PAYLOAD = "<script>alert(1)</script>![x](http://evil.test/p.png) $a$ :red[b] www.evil.test =1+1 </b> **c**"
L20 = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


def cell(start: int, cube: str, a: str = "", b: str = "", **fields: Any) -> CellRow:
    about = {"campaign": "men", "origin": "live", "impressions": 0, "clicks": 0, "last_at": start, "users_known": False}
    return CellRow(start=start, cube=cube, a=a, b=b, users=sketches.pack(()), **(about | fields))


def week_of_cells(*, clicks_per_hour: int = 3) -> list[CellRow]:
    """A week, an hour at a time: 400 impressions each, three positions, four items, two segments, one nasty name."""
    rows = []
    first = NOW - 7 * DAY - (NOW - 7 * DAY) % (15 * MINUTE)
    for hour in range(7 * 24):
        start = first + hour * HOUR
        for campaign, origin in (("men", "live"), (PAYLOAD, "live"), ("men", "simulated")):
            about = {"campaign": campaign, "origin": origin}
            rows.append(
                cell(
                    start,
                    "time",
                    impressions=400,
                    clicks=clicks_per_hour,
                    decisions=400,
                    shown_decisions=400,
                    hit_decisions=clicks_per_hour,
                    model_decisions=300,
                    **about,
                )
            )
            rows += [
                cell(
                    start,
                    "position_item",
                    a=str(place % 3 + 1),
                    b=PAYLOAD if place == 3 else f"item-{place}",
                    impressions=100,
                    clicks=clicks_per_hour // 3 if place < 3 else 0,
                    **about,
                )
                for place in range(4)
            ]
            rows += [
                cell(
                    start,
                    "segment",
                    a=f"age={value}",
                    b=campaign,
                    impressions=200,
                    clicks=clicks_per_hour // 2,
                    **about,
                )
                for value in ("old", PAYLOAD)
            ]
    return rows


def put(database: Database, rows: list[CellRow]) -> None:
    with database.write() as write:
        for key in {(row.campaign, row.start) for row in rows}:
            cells.replace(write, *key, [row for row in rows if (row.campaign, row.start) == key])


def window(seq: int, *, decisions: int = 40, errors: int = 0, replica: str = "engine-0") -> Window:
    end = NOW - NOW % (10 * SECOND) - (360 - seq) * 10 * SECOND
    counts = [0] * (len(L20) + 1)
    counts[4], counts[8] = decisions - decisions // 10, decisions // 10
    return Window(
        replica=replica,
        boot_id="boot",
        seq=seq,
        start=end - 10 * SECOND,
        end=end,
        monotonic_us=10 * SECOND,
        counters=(
            Counter(
                name="fairlead_decision_requests_total",
                value=decisions - 4,
                labels={"campaign": "men", "outcome": "model", "reason": "ok"},
            ),
            Counter(
                name="fairlead_decision_requests_total",
                value=4,
                labels={"campaign": "men", "outcome": "default", "reason": "no_consent"},
            ),
            Counter(
                name="fairlead_http_requests_total",
                value=decisions,
                labels={"route": "/v1/personalize", "method": "POST", "status_class": "2xx"},
            ),
            *(
                [
                    Counter(
                        name="fairlead_http_requests_total",
                        value=errors,
                        labels={"route": "/v1/personalize", "method": "POST", "status_class": "5xx"},
                    )
                ]
                if errors
                else []
            ),
            Counter(name="fairlead_cache_requests_total", value=30, labels={"cache": "profile", "result": "hit"}),
            Counter(name="fairlead_cache_requests_total", value=10, labels={"cache": "profile", "result": "miss"}),
            Counter(name="fairlead_consent_checks_total", value=decisions, labels={"result": "granted"}),
        ),
        histograms=(
            Histogram(
                name="fairlead_decision_duration_seconds",
                labels={"outcome_class": "ok"},
                edges=L20,
                counts=tuple(counts),
                sum=decisions * 0.01,
            ),
            Histogram(
                name="fairlead_decision_stage_duration_seconds",
                labels={"stage": "score"},
                edges=L20,
                counts=tuple(counts),
                sum=decisions * 0.004,
            ),
            Histogram(
                name="fairlead_decision_confidence_ratio",
                labels={"campaign": "men"},
                edges=tuple(step / 20 for step in range(1, 21)),
                counts=(*([0] * 11), decisions, *([0] * 9)),
                sum=decisions * 0.6,
            ),
        ),
    )
