"""Creators, who comes back, and an industry's figures beside the installation's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collectors import kpis
from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from storage import benchmarks, findings
from storage.benchmarks import StoredBenchmark
from storage.database import Read
from storage.records.benchmarks import METRICS

REAL = ("live",)
"""Own figures are those of rows that this installation served itself: imported ones are another shop's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """The newest count of audiences; ``at`` is None before the first."""

    at: int | None
    attribute: str = ""
    creators: tuple[Mapping[str, Any], ...] = ()
    cohorts: tuple[Mapping[str, Any], ...] = ()


def insights(read: Read) -> Insights:
    """Return what the newest count found."""
    newest = next(iter(findings.audits(read, "insights", limit=1)), None)
    if newest is None:
        return Insights(at=None)
    found = newest.result
    return Insights(
        at=newest.at,
        attribute=found["attribute"],
        creators=tuple(found["creators"]),
        cohorts=tuple(found["cohorts"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One metric: our own rate of real rows with its interval, and what others are said to have."""

    metric: str
    meaning: str
    own: Rate
    others: tuple[StoredBenchmark, ...]


def beside(read: Read, *, span: Span) -> tuple[Beside, ...]:
    """Return every metric that there may be figures of."""
    brought = benchmarks.listed(read)
    bounds: dict[str, Any] = {"start": span.start, "end": span.end, "origins": REAL}
    counted = {
        "click_rate": kpis.click_rate(read, **bounds),
        "conversion_rate": kpis.conversion_rate(read, **bounds),
        "hit_rate": kpis.hit_rate(read, **bounds),
    }
    own = {name: rate(int(found.hits), int(found.n)) for name, found in counted.items()}
    own["return_rate"] = returned(insights(read))
    return tuple(
        Beside(
            metric=metric,
            meaning=meaning,
            own=own[metric],
            others=tuple(one for one in brought if one.benchmark.metric == metric),
        )
        for metric, meaning in METRICS.items()
    )


def returned(found: Insights) -> Rate:
    """Return how many came back in the week after their first, of the cohorts whose second week is over."""
    whole = [
        one
        for one in found.cohorts
        if one["weeks"] == 1
        and one["rows"] in REAL
        and one["people"] is not None
        and any(other["cohort"] == one["cohort"] and other["weeks"] > 1 for other in found.cohorts)
    ]
    return rate(sum(one["back"] for one in whole), sum(one["people"] for one in whole))
