"""What indicators count: good ones of the valid ones, read once from the series and kept minute by minute."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage import cursors, indicators, series
from storage.database import Read, Write
from storage.records.clock import DAY, HOUR, MINUTE
from storage.series import Step

PROBES = ("/healthz", "/readyz")
CURSOR = "indicators"
KEPT = 36 * DAY
AT_ONCE = DAY
"""So much of the past is read in one round."""
LATE, LATEST, RARELY = 10 * MINUTE, 65 * MINUTE, 10 * MINUTE
"""What came late is read anew: a little of it in each round, all that engines still hold every ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What a label must say: one of some values, or ``none`` of them."""

    label: str
    values: tuple[str, ...]
    none: bool = False

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether these labels say so."""
        return (labels.get(self.label, "") in self.values) != self.none


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator: the metric that it is read from, which of it is valid, and what of that is good: what carries
    certain labels, or what of a histogram lies at or below the edge ``within_s``."""

    name: str
    title: str
    tells: str
    metric: str
    valid: tuple[Where, ...] = ()
    good: tuple[Where, ...] = ()
    within_s: float | None = None
    dimensions: tuple[str, ...] = ("replica",)

    @property
    def by(self) -> tuple[str, ...]:
        """The labels that decide."""
        return tuple(dict.fromkeys(one.label for one in (*self.valid, *self.good)))

    def tally(self, step: Step) -> tuple[int, int]:
        """Return how many are good of how many valid ones."""
        if not all(one.holds(step.labels) for one in self.valid):
            return 0, 0
        if self.within_s is not None:
            edges = zip(step.edges, step.counts, strict=False)
            return sum(n for edge, n in edges if edge <= self.within_s), sum(step.counts)
        n = int(step.value or 0.0)
        return (n if all(one.holds(step.labels) for one in self.good) else 0), n


DECISIONS, SECONDS = "fairlead_decision_requests_total", "fairlead_decision_duration_seconds"
ANSWERED = (Where(label="outcome_class", values=("error",), none=True),)

INDICATORS: Mapping[str, Indicator] = {
    one.name: one
    for one in (
        Indicator(
            name="availability",
            title="Availability",
            tells="decisions answered without an error; requests that were not valid are left out",
            metric=DECISIONS,
            valid=(Where(label="reason", values=("invalid",), none=True),),
            good=(Where(label="outcome", values=("error",), none=True),),
            dimensions=("campaign", "reason", "replica"),
        ),
        Indicator(
            name="http",
            title="HTTP",
            tells="requests of any kind answered without an error of ours (5xx); probes of health are left out",
            metric="fairlead_http_requests_total",
            valid=(Where(label="route", values=PROBES, none=True),),
            good=(Where(label="status_class", values=("5xx",), none=True),),
            dimensions=("route", "replica"),
        ),
        Indicator(
            name="latency",
            title="Latency",
            tells="decisions answered within 50 ms",
            metric=SECONDS,
            valid=ANSWERED,
            within_s=0.05,
        ),
        Indicator(
            name="latency_tail",
            title="Latency, the tail",
            tells="decisions answered within 200 ms",
            metric=SECONDS,
            valid=ANSWERED,
            within_s=0.2,
        ),
        Indicator(
            name="quality",
            title="Quality",
            tells="decisions that a policy served without its fallback",
            metric=DECISIONS,
            valid=(Where(label="outcome", values=("model", "fallback", "rules")),),
            good=(Where(label="outcome", values=("fallback",), none=True),),
            dimensions=("campaign", "reason", "replica"),
        ),
        Indicator(
            name="consent",
            title="Consent propagation",
            tells="consent changes in force on an engine within one second",
            metric="fairlead_consent_propagation_seconds",
            within_s=1.0,
        ),
        Indicator(
            name="policy",
            title="Policy propagation",
            tells="revisions in force on an engine within one second",
            metric="fairlead_policy_propagation_seconds",
            within_s=1.0,
        ),
        Indicator(
            name="freshness",
            title="Event freshness",
            tells="events taken in within 15 s of when they happened",
            metric="fairlead_event_ingest_lag_seconds",
            within_s=15.0,
            dimensions=("type", "replica"),
        ),
    )
}


def minutes(read: Read, one: Indicator, *, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return what an indicator counted, minute by minute; a minute in which nothing was valid is left out."""
    found: dict[int, tuple[int, int]] = {}
    for step in series.steps(read, one.metric, start=start, end=end, step_us=MINUTE, by=one.by):
        if step.value is not None:
            good, valid = one.tally(step)
            before = found.get(step.start, (0, 0))
            found[step.start] = (before[0] + good, before[1] + valid)
    return [(at, good, valid) for at, (good, valid) in sorted(found.items()) if valid]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Minutes by indicator, read up to ``end``, and where the reader before stood."""

    before: str | None
    end: int
    minutes: Mapping[str, list[tuple[int, int, int]]]


def gather(read: Read, *, now: int) -> Batch | None:
    """Return the minutes since the last round, and those again that something may have come late for; None before
    anything was observed.

    A minute still running is read as it stands, and replaced by the next round.
    """
    before = cursors.position(read, CURSOR)
    first = indicators.first_window(read)
    if first is None:
        return None
    done = max(int(before) if before is not None else first, now - KEPT, first)
    back = LATEST if done // RARELY != now // RARELY else LATE
    start = max(done - back, now - KEPT, first) // MINUTE * MINUTE
    end = min(now, max(done, start) + AT_ONCE)
    found = {one.name: minutes(read, one, start=start, end=end) for one in INDICATORS.values()}
    return Batch(before=before, end=end, minutes=found)


def keep(write: Write, batch: Batch, *, now: int) -> int:
    """Write a batch; return how many minutes.

    Raises
    ------
    Conflict
        If another reader was faster; its batch holds the same.
    """
    for name, found in batch.minutes.items():
        indicators.put(write, name, found)
    if batch.before is None or batch.end > int(batch.before):
        cursors.advance(write, CURSOR, before=batch.before, after=str(batch.end), fence=None)
    indicators.forget(write, before=now - KEPT)
    return sum(len(found) for found in batch.minutes.values())


def top(read: Read, one: Indicator, *, start: int, end: int) -> str:
    """Return, in words, which value of which dimension holds the greatest part of what was not good."""
    best: tuple[int, int, str] | None = None
    for dimension in one.dimensions:
        sums: dict[str, tuple[int, int]] = {}
        names = tuple(dict.fromkeys((*one.by, dimension)))
        for step in series.total(read, one.metric, start=start, end=end, by=names):
            good, valid = one.tally(step) if step.value is not None else (0, 0)
            before = sums.get(step.labels.get(dimension, ""), (0, 0))
            sums[step.labels.get(dimension, "")] = (before[0] + valid - good, before[1] + valid)
        whole = sum(bad for bad, _ in sums.values())
        for value, (bad, valid) in sums.items():
            if bad and value and (best is None or bad > best[0]):
                told = f"{dimension} {value}: {bad:,} of {whole:,} bad ones, {bad / valid:.1%} of its own {valid:,}"
                best = (bad, valid, told)
    return best[2] if best else ""


def observed_days(read: Read, *, now: int, period_days: int) -> float:
    """Return how many days of a period anything was observed in, at most."""
    first = indicators.first_window(read)
    return 0.0 if first is None else min(period_days * DAY, max(now - first, HOUR)) / DAY
