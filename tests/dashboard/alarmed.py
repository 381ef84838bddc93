"""Alerts of a week, and the minutes of indicators."""

from typing import Any

from storage import alerts, deliveries, indicators
from storage.database import Write
from storage.records.alerts import Alert, Delivery, Silence
from storage.records.clock import DAY, HOUR, MINUTE


def _alert(now: int, payload: str, name: str, cause: str, **more: Any) -> Alert:
    told = {
        "alert_id": f"alert-{name}",
        "fingerprint": f"check:{name}",
        "name": name,
        "title": name.capitalize(),
        "cause": cause,
        "audience": "operation",
        "severity": "page",
        "sentence": f"It is {payload}.",
        "since": now - HOUR,
        "fired_at": now - HOUR,
        "seen_at": now,
        "top": f"route {payload}: 3 of 4 bad ones",
    }
    return Alert(**told | more)


def week(write: Write, *, now: int, payload: str) -> None:
    """Write a week of alerts: one of each state, one that is noisy, one that belongs to marketers."""
    acked = {"acked_at": now - HOUR // 2, "acked_by": payload, "acked_why": payload}
    over = {"resolved_at": now - 2 * HOUR, "resolved_by": "system", "resolved_why": payload}
    for each in (
        _alert(now, payload, "errors", "serving"),
        _alert(now, payload, "silence", "serving", severity="look", fires=2),
        _alert(now, payload, "drift", "models", audience="models", **acked),
        _alert(now, payload, "ctr", "shown", audience="campaigns"),
        _alert(now, payload, "disk", "collection"),
        _alert(now, payload, "latency", "serving", since=now - DAY, fired_at=now - DAY, fires=9, **over),
        _alert(now, payload, "jobs", "collection", since=now - DAY, fired_at=now - DAY, **over | acked, test=True),
    ):
        alerts.save(write, each)
    hush = Silence(
        silence_id="s", fingerprint="check:disk", since=now - HOUR, until=now + HOUR, by=payload, reason=payload
    )
    alerts.silence(write, hush)
    sent = Delivery(
        delivery_id="d",
        alert_id="alert-errors",
        destination="desk",
        occasion="fired",
        created_at=now - HOUR,
        next_at=now - HOUR,
        state="failed",
        attempts=6,
        trouble=payload,
    )
    deliveries.save(write, sent)
    first = (now - DAY) // MINUTE * MINUTE
    for indicator, bad in (("availability", 2), ("latency", 0)):
        minutes = [(first + n * MINUTE, 100 - bad * (n % 2), 100) for n in range(24 * 60) if not 300 < n < 360]
        indicators.put(write, indicator, minutes)
