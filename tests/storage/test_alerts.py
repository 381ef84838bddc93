"""Alerts, silences, deliveries and indicator minutes, on both databases."""

from dataclasses import replace

from storage import alerts, deliveries, indicators
from storage.database import Database
from storage.records.alerts import Alert, Delivery, Silence
from storage.records.clock import HOUR, MINUTE, SECOND

NOW = 1_760_000_000_000_000
EVERYBODY = ("operation", "models", "campaigns")


def alert(number: int = 1, **more: object) -> Alert:
    told = {
        "alert_id": f"a-{number}",
        "fingerprint": f"check:{number}",
        "name": "errors",
        "title": "Errors",
        "cause": "serving",
        "audience": "operation",
        "severity": "page",
        "sentence": "It burns.",
        "since": NOW - MINUTE,
        "fired_at": NOW,
        "seen_at": NOW,
    }
    return Alert(**told | more)  # type: ignore[arg-type]  # the fields of an alert


def test_an_alert_comes_back_as_it_was_kept(database: Database) -> None:
    kept = alert(figures={"n": 3, "by": {"a": 0.5}}, acked_at=NOW + 1, acked_by="olga", acked_why="I look into it")
    with database.write() as write:
        alerts.save(write, kept)
        alerts.save(write, alert(2, resolved_at=NOW + SECOND, audience="campaigns"))
        alerts.save(write, alert(3, fired_at=NOW + HOUR, test=True))
    with database.read() as read:
        assert alerts.find(read, "a-1") == kept and alerts.find(read, "none") is None
        assert [one.alert_id for one in alerts.unresolved(read)] == ["a-1", "a-3"]
        assert [one.alert_id for one in alerts.resolved_since(read, NOW)] == ["a-2"]
        assert alerts.resolved_since(read, NOW + MINUTE) == []
        found = alerts.listed(read, start=NOW, end=NOW + MINUTE, audiences=EVERYBODY)
        assert {one.alert_id for one in found} == {"a-1", "a-2"}
        theirs = alerts.listed(read, start=NOW, end=NOW + MINUTE, audiences=("campaigns",))
        assert [one.alert_id for one in theirs] == ["a-2"]


def test_the_bell_counts_what_waits_for_somebody(database: Database) -> None:
    with database.write() as write:
        for each in (alert(1), alert(2, acked_at=NOW), alert(3), alert(4, test=True), alert(5, resolved_at=NOW)):
            alerts.save(write, each)
        kept = Silence(silence_id="s", fingerprint="check:3", since=NOW, until=NOW + HOUR, by="olga", reason="known")
        alerts.silence(write, kept)
    with database.read() as read:
        assert alerts.awaiting(read, now=NOW, audiences=EVERYBODY) == 1
        assert alerts.awaiting(read, now=NOW, audiences=("campaigns",)) == 0
        assert alerts.awaiting(read, now=NOW + HOUR, audiences=EVERYBODY) == 2
        assert alerts.silences(read, now=NOW) == {"check:3": kept} and alerts.silences(read, now=NOW + HOUR) == {}
    with database.write() as write:
        alerts.silence(write, replace(kept, lifted_at=NOW + 1))
        assert alerts.silences(write, now=NOW + 1) == {}
        assert alerts.forget(write, before=NOW + 1) == 1
        assert alerts.find(write, "a-5") is None and alerts.find(write, "a-1") is not None


def test_a_delivery_is_taken_once_and_comes_again_when_nobody_finished_it(database: Database) -> None:
    made = Delivery(
        delivery_id="d", alert_id="a", destination="chat", occasion="fired", created_at=NOW, next_at=NOW + SECOND
    )
    with database.write() as write:
        deliveries.save(write, made)
        assert deliveries.claim(write, now=NOW, until=NOW + MINUTE, most=9) == []
        (taken,) = deliveries.claim(write, now=NOW + SECOND, until=NOW + MINUTE, most=9)
        assert (taken.state, taken.attempts) == ("sending", 1)
        assert deliveries.claim(write, now=NOW + SECOND, until=NOW + MINUTE, most=9) == []
    with database.write() as write:
        (again,) = deliveries.claim(write, now=NOW + MINUTE, until=NOW + HOUR, most=9)
        assert again.attempts == 2
        deliveries.save(write, replace(again, state="delivered", done_at=NOW + MINUTE))
        assert deliveries.claim(write, now=NOW + 2 * HOUR, until=NOW + 3 * HOUR, most=9) == []
        assert [one.state for one in deliveries.of_alerts(write, ["a"])] == ["delivered"]
        assert deliveries.of_alerts(write, []) == [] and len(deliveries.recent(write, since=NOW)) == 1
        assert deliveries.forget(write, before=NOW + 1) == 1


def test_minutes_are_replaced_not_added(database: Database) -> None:
    start = NOW // HOUR * HOUR
    with database.write() as write:
        indicators.put(write, "latency", [(start, 9, 10), (start + MINUTE, 10, 10), (start + HOUR, 1, 2)])
        indicators.put(write, "latency", [(start, 10, 11)])
        indicators.put(write, "other", [(start, 5, 5)])
        indicators.put(write, "latency", [])
        assert indicators.counted(write, "latency", start=start, end=start + HOUR) == (20, 21)
        assert indicators.counted(write, "latency", start=start + 2 * HOUR, end=start + 3 * HOUR) == (0, 0)
        assert indicators.newest(write) == {"latency": start + HOUR, "other": start}
        found = indicators.by_step(write, "latency", start=start, end=start + 3 * HOUR, step_us=HOUR)
        assert found == {start: (20, 21), start + HOUR: (1, 2)}
        assert indicators.forget(write, before=start + HOUR) == 3
