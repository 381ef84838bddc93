"""Metric windows of thirty days as an engine would have closed them: stored and rolled up by the product's code."""

from collections.abc import Iterator

import numpy as np

from benchmarks.journal import CAMPAIGNS, REPLICA
from collectors.rollup import roll_up_all
from fairlead.wiring import Store
from scoring_core.edges.instruments import C20, L20, S12
from scoring_core.edges.telemetry import STAGES
from storage import series
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.metrics import Counter, Gauge, Histogram, Window
from storage.series import Tier

FINE_US, AT_ONCE = 7 * HOUR, 500


def _spread(edges: tuple[float, ...], n: int, median: float, rng: np.random.Generator) -> tuple[tuple[int, ...], float]:
    values = median * np.exp(0.5 * rng.standard_normal(n))
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    return tuple(int(count) for count in counts), float(values.sum())


def window(start: int, step: int, seq: int, decisions: int, rng: np.random.Generator) -> Window:
    """Return what an engine closes after so many decisions."""
    counters, histograms = [], []

    def count(name: str, value: int, **labels: str) -> None:
        counters.append(Counter(name=f"fairlead_{name}", labels=labels, value=float(value)))

    def spread(name: str, edges: tuple[float, ...], n: int, median: float, **labels: str) -> None:
        counts, total = _spread(edges, n, median, rng)
        histograms.append(Histogram(name=f"fairlead_{name}", labels=labels, edges=edges, counts=counts, sum=total))

    for campaign, n in zip(CAMPAIGNS, rng.multinomial(decisions, [1 / 3] * 3), strict=True):
        fallback = int(rng.binomial(n, 0.1))
        count("decision_requests_total", n - fallback, campaign=campaign, outcome="model", reason="ok")
        count("decision_requests_total", fallback, campaign=campaign, outcome="fallback", reason="ok")
        spread("decision_confidence_ratio", C20, int(n), 0.4, campaign=campaign)
    for code, n in zip(("2xx", "5xx"), rng.multinomial(decisions, [0.9995, 0.0005]), strict=True):
        count("http_requests_total", n, route="/v1/personalize", method="POST", status_class=code)
    hits = int(rng.binomial(decisions, 0.8))
    for result, n in (("hit", hits), ("miss", decisions - hits)):
        count("cache_requests_total", n, cache="profile", result=result)
    count("events_received_total", decisions, type="impression", result="accepted")
    spread("decision_duration_seconds", L20, decisions, 0.006, outcome_class="ok")
    for stage in STAGES:
        spread("decision_stage_duration_seconds", S12, decisions, 0.0008, stage=stage)
    gauges = (Gauge(name="fairlead_revision", value=1.0), Gauge(name="fairlead_consent_epoch", value=0.0))
    return Window(
        replica=REPLICA,
        boot_id="bench",
        seq=seq,
        start=start,
        end=start + step,
        monotonic_us=step,
        counters=tuple(counters),
        histograms=tuple(histograms),
        gauges=gauges,
    )


def observe(store: Store, *, per_second: float, now: int, seed: int, days: int = 30) -> int:
    """Store the windows of the days before ``now``, the last 7 h at 10 s and rolled up; return how many."""
    rng = np.random.default_rng(seed)
    fine = (now - FINE_US) // (15 * MINUTE) * 15 * MINUTE
    parts: tuple[tuple[Tier, int, int, int], ...] = (
        ("t2", 15 * MINUTE, (now - days * DAY) // (15 * MINUTE) * 15 * MINUTE, fine),
        ("t0", 10 * SECOND, fine, now),
    )
    stored = 0
    for tier, step, start, end in parts:
        made: Iterator[Window] = (
            window(at, step, number, int(rng.poisson(per_second * step / SECOND)), rng)
            for number, at in enumerate(range(start, end, step))
        )
        while batch := [one for _, one in zip(range(AT_ONCE), made, strict=False)]:
            with store.database.write() as write:
                for one in batch:
                    series.store(write, tier, one)
            stored += len(batch)
    while roll_up_all(store.database, now=now):
        continue
    return stored
