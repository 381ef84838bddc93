"""Every check: unknown on nothing, and each word reached on data that deserves it."""

from typing import Any

import pytest

from governance.checks.roster import CHECKS
from governance.patrol import Beat
from storage import consent, findings, ledger, receipts, scrapes, series
from storage.database import Write
from storage.records.changes import Receipt
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.consent import Purpose
from storage.records.findings import Audit
from storage.records.metrics import Counter, Histogram, Window
from storage.scrapes import Scrape

from .conftest import NOW
from .saying import BY_NAME, says

ALWAYS_KNOWN = {"disk"}


def window(
    beat: Beat, at: int, *, seq: int, counters: tuple[Counter, ...] = (), slow: tuple[int, int] = (0, 0)
) -> None:
    histograms = ()
    if sum(slow):
        histograms = (
            Histogram(name="fairlead_decision_duration_seconds", edges=(0.05, 0.1), counts=(*slow, 0), sum=1.0),
        )
    with beat.database.write() as write:
        series.store(
            write,
            "t0",
            Window(
                replica="engine-0",
                boot_id="b",
                seq=seq,
                start=at,
                end=at + 10 * SECOND,
                monotonic_us=10 * SECOND,
                counters=counters,
                histograms=histograms,
            ),
        )


def counter(name: str, value: float, **labels: str) -> Counter:
    return Counter(name=f"fairlead_{name}", labels=labels, value=value)


def receipt(write: Write, replica: str = "engine-0", *, at: int = NOW, epoch: int = 0, **more: Any) -> None:
    said = {"boot_id": "b", "url": "http://x", "revision": 0, "consent_epoch": epoch, "at": at} | more
    receipts.report(write, Receipt(replica=replica, **said))


def test_names_are_unique_and_questions_asked() -> None:
    assert len(BY_NAME) == len(CHECKS) >= 15
    for check in CHECKS:
        assert check.question.endswith("?") and check.title and check.every_s >= 10


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nothing_observed_is_unknown(beat: Beat, name: str) -> None:
    found = says(beat, name)
    if name in ALWAYS_KNOWN:
        assert found.verdict != "unknown"
        return
    assert found.verdict == "unknown", found
    assert found.sentence.endswith(".") and "error" not in found.figures


@pytest.mark.parametrize(
    ("fast", "slow", "word"), [(999, 1, "pass"), (985, 15, "warn"), (900, 100, "fail"), (100, 50, "unknown")]
)
def test_latency(beat: Beat, fast: int, slow: int, word: str) -> None:
    window(beat, NOW - 5 * MINUTE, seq=1, slow=(fast, slow))
    assert says(beat, "latency").verdict == word


@pytest.mark.parametrize(("errors", "word"), [(0, "pass"), (2, "warn"), (50, "fail")])
def test_errors(beat: Beat, errors: int, word: str) -> None:
    http = "http_requests_total"
    rows = (
        counter(http, 1_500 - errors, route="/v1/personalize", status_class="2xx"),
        counter(http, errors, route="/v1/personalize", status_class="5xx"),
        counter(http, 900, route="/readyz", status_class="5xx"),
    )
    window(beat, NOW - 5 * MINUTE, seq=1, counters=rows)
    assert says(beat, "errors").verdict == word


@pytest.mark.parametrize(("errors", "word"), [(0, "unknown"), (1, "unknown"), (5, "fail")])
def test_few_requests_prove_harm_only(beat: Beat, errors: int, word: str) -> None:
    rows = (
        counter("http_requests_total", 40 - errors, route="/v1/personalize", status_class="2xx"),
        counter("http_requests_total", errors, route="/v1/personalize", status_class="5xx"),
    )
    window(beat, NOW - 5 * MINUTE, seq=1, counters=rows)
    assert says(beat, "errors").verdict == word


@pytest.mark.parametrize(("now", "word"), [(50, "pass"), (27, "warn"), (0, "fail")])
def test_silence(beat: Beat, now: int, word: str) -> None:
    for place in range(6):
        rows = (
            counter("decision_requests_total", 100, outcome="model"),
            counter("events_received_total", 100, type="click", result="accepted"),
        )
        window(beat, NOW - HOUR + place * 8 * MINUTE, seq=place, counters=rows)
    rows = (
        counter("decision_requests_total", now, outcome="model"),
        counter("events_received_total", now, type="click", result="accepted"),
    )
    window(beat, NOW - 2 * MINUTE, seq=9, counters=rows)
    assert says(beat, "silence").verdict == word
    assert says(beat, "silence", NOW + 6 * MINUTE).verdict == "unknown"


@pytest.mark.parametrize(("fell_back", "word"), [(20, "pass"), (160, "warn"), (600, "fail")])
def test_fallbacks(beat: Beat, fell_back: int, word: str) -> None:
    def rows(n: int) -> tuple[Counter, ...]:
        name = "decision_requests_total"
        return (
            counter(name, 1_000 - n, outcome="model"),
            counter(name, n, outcome="fallback"),
            counter(name, 5_000, outcome="default"),
        )

    window(beat, NOW - 5 * HOUR, seq=1, counters=rows(20))
    window(beat, NOW - 5 * MINUTE, seq=2, counters=rows(fell_back))
    assert says(beat, "fallbacks").verdict == word


def test_consent(beat: Beat) -> None:
    window(beat, NOW - HOUR, seq=1, counters=(counter("consent_checks_total", 100, result="granted"),))
    assert says(beat, "consent").verdict == "pass"
    with beat.database.write() as write:
        change = {"purpose": Purpose.PERSONALIZATION, "state": "denied", "reason": "r", "source": "s", "actor": "a"}
        consent.append(write, subject="p", at=NOW - MINUTE, **change)  # type: ignore[arg-type]
        receipt(write)
    assert says(beat, "consent").verdict == "warn"
    window(beat, NOW - HOUR, seq=2, counters=(counter("consent_violations_total", 1, detector="online"),))
    found = says(beat, "consent")
    assert found.verdict == "fail" and "kill switch" in found.sentence


@pytest.mark.parametrize(
    ("shown", "clicks", "decisions", "word"),
    [
        (500, 3, 500, "pass"),
        (500, 0, 500, "unknown"),
        (20_000, 0, 20_000, "fail"),
        (0, 0, 5_000, "warn"),
        (0, 0, 500, "unknown"),
    ],
)
def test_campaigns(beat: Beat, shown: int, clicks: int, decisions: int, word: str) -> None:
    from storage import campaigns, cells
    from storage.records.campaigns import Campaign
    from storage.tables.observed import CellRow

    start = NOW - NOW % (15 * MINUTE) - 15 * MINUTE
    with beat.database.write() as write:
        made = Campaign(key="men", name="Men", surfaces=("home",), status="running")
        campaigns.save(write, made, at=NOW - DAY)
        for campaign, n, hits, seen in (("men", shown, clicks, shown), ("all", 10, 1, decisions)):
            row = CellRow(
                campaign=campaign, start=start, cube="time", origin="live", impressions=n, clicks=hits, decisions=seen
            )
            cells.replace(write, campaign, start, [row])
    assert says(beat, "campaigns").verdict == word
    with beat.database.write() as write:
        campaigns.save(write, made, at=NOW)
    assert says(beat, "campaigns").verdict == "unknown"


@pytest.mark.parametrize(("over", "uncounted", "word"), [(0, 0, "pass"), (0, 30, "warn"), (1, 0, "fail")])
def test_caps(beat: Beat, over: int, uncounted: int, word: str) -> None:
    rows = (
        counter("cap_checks_total", 1_000 - uncounted, cap="daily", result="allow"),
        counter("cap_checks_total", uncounted, cap="daily", result="degraded"),
        counter("cap_overserves_total", over, cap="daily"),
    )
    window(beat, NOW - HOUR, seq=1, counters=rows)
    assert says(beat, "caps").verdict == word


def entry(write: Write, beat: Beat, at: int) -> None:
    said = {"actor": "a", "action": "b", "object_kind": "c", "object_key": "d", "before": None, "after": None}
    ledger.append(write, beat.keys, at=at, reason="because it is time", **said)  # type: ignore[arg-type]


def test_ledger(beat: Beat) -> None:
    with beat.database.write() as write:
        entry(write, beat, NOW)
        entry(write, beat, NOW + MINUTE)
    assert says(beat, "ledger", NOW + MINUTE).verdict == "pass"
    assert says(beat, "ledger", NOW + 3 * MINUTE).verdict == "warn"
    assert says(beat, "ledger", NOW + 20 * MINUTE).verdict == "fail"
    with beat.database.read() as read:
        beat.anchors.anchor(read, NOW)
    assert says(beat, "ledger", NOW + 20 * MINUTE).verdict == "pass"
    with beat.database.write() as write:
        from sqlalchemy import text

        write.execute(text("UPDATE ledger SET actor = 'nobody' WHERE seq = 2"))
    found = says(beat, "ledger", NOW + 20 * MINUTE)
    assert found.verdict == "fail" and "Entry 2" in found.sentence


def test_replicas(beat: Beat) -> None:
    with beat.database.write() as write:
        receipt(write)
        receipt(write, "engine-1")
    assert says(beat, "replicas").verdict == "pass"
    with beat.database.write() as write:
        receipt(write, "engine-1", ready=False)
    assert says(beat, "replicas").verdict == "warn"
    assert says(beat, "replicas", NOW + MINUTE).verdict == "fail"


@pytest.mark.parametrize(
    ("more", "later", "word"),
    [({}, 0, "pass"), ({"skew_us": 5 * SECOND}, 0, "warn"), ({}, MINUTE, "warn"), ({}, 10 * MINUTE, "fail")],
)
def test_collector(beat: Beat, more: dict[str, Any], later: int, word: str) -> None:
    with beat.database.write() as write:
        receipt(write)
        scrapes.note(write, Scrape(replica="engine-0", what="metrics", at=NOW, result="ok", **more))
    assert says(beat, "collector", NOW + later).verdict == word


def test_a_replica_that_stopped_on_purpose_is_missed_by_no_collector(beat: Beat) -> None:
    with beat.database.write() as write:
        for replica in ("engine-0", "engine-1"):
            receipt(write, replica)
            scrapes.note(write, Scrape(replica=replica, what="metrics", at=NOW, result="ok"))
        receipts.withdraw(write, "engine-1", "b")
        scrapes.note(write, Scrape(replica="engine-0", what="metrics", at=NOW + 10 * MINUTE, result="ok"))
    found = says(beat, "collector", NOW + 10 * MINUTE)
    assert (found.verdict, found.figures["late"]) == ("pass", [])
    with beat.database.write() as write:
        receipt(write, "engine-1")
    found = says(beat, "collector", NOW + 10 * MINUTE)
    assert (found.verdict, found.figures["late"]) == ("fail", ["engine-1 metrics"])


@pytest.mark.parametrize(
    ("accepted", "durable", "dead", "word"),
    [(100, 100, 0, "pass"), (100, 100, 10, "warn"), (100, 99, 0, "fail"), (3, 3, 0, "unknown")],
)
def test_intake(beat: Beat, accepted: int, durable: int, dead: int, word: str) -> None:
    rows = (
        counter("events_received_total", accepted, type="click", result="accepted"),
        counter("events_received_total", dead, type="click", result="dead_letter"),
        counter("events_durable_total", durable, type="click"),
    )
    window(beat, NOW - 10 * MINUTE, seq=1, counters=rows)
    assert says(beat, "intake").verdict == word


def test_audits(beat: Beat) -> None:
    def audit(kind: str, word: str, at: int) -> Audit:
        return Audit(
            audit_id=f"{kind}-{at}",
            kind=kind,  # type: ignore[arg-type]
            job_id="j",
            at=at,
            verdict=word,  # type: ignore[arg-type]
            sentence="It is so.",
            population={},
            result={},
        )

    with beat.database.write() as write:
        findings.save(write, audit("fairness", "pass", NOW - DAY))
    assert says(beat, "audits").verdict == "unknown"
    with beat.database.write() as write:
        findings.save(write, audit("drift", "pass", NOW - DAY))
    assert says(beat, "audits").verdict == "pass"
    assert says(beat, "audits", NOW + 40 * DAY).verdict == "unknown"
    with beat.database.write() as write:
        findings.save(write, audit("drift", "fail", NOW))
    assert says(beat, "audits").verdict == "fail"
