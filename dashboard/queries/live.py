"""What the engine does now: rates, errors, durations, caches, confidence, replicas."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from storage import series
from storage.database import Read
from storage.quantiles import Quantile, quantile
from storage.records.clock import SECOND
from storage.series import Step

REQUESTS = "fairlead_decision_requests_total"
SECONDS = "fairlead_decision_duration_seconds"
STAGES = "fairlead_decision_stage_duration_seconds"
HTTP = "fairlead_http_requests_total"
CACHE = "fairlead_cache_requests_total"
CONFIDENCE = "fairlead_decision_confidence_ratio"
EVENTS = "fairlead_events_received_total"
LAG = "fairlead_event_loop_lag_seconds"
DEPENDENCIES = "fairlead_dependency_requests_total"
VIOLATIONS = "fairlead_consent_violations_total"
PROBES = frozenset({"/healthz", "/readyz"})
"""A replica that says it is not ready answers 503, as it should: no error."""
POINTS = 180
SLO_S = 0.05
"""99 % of decisions within 50 ms."""

Points = tuple[tuple[int, float | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A figure over a range: as a whole, over time, and in the range before. None is unknown, never zero."""

    value: float | None
    before: float | None
    points: Points
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The row of figures on top of the page. ``as_of`` is the end of the newest window."""

    per_second: Track
    errors: Track
    p50: Quantile
    p95: Quantile
    p99: Quantile
    latency: Mapping[str, Points]
    latency_n: tuple[int, ...]
    fallback: Track
    cache_hits: Track
    confidence: Quantile
    coverage: float | None
    as_of: int | None


def step_us(span: Span) -> int:
    """Return the step that gives at most ``POINTS`` points, a whole number of 10 s windows."""
    return max(10 * SECOND, -(-span.width // POINTS // (10 * SECOND)) * 10 * SECOND)


def latency_step_us(span: Span, per_second: float | None) -> int:
    """Return a step wide enough for a p95 (200 decisions and some more), but at least eight steps in the span."""
    wanted = 250 / per_second * SECOND if per_second else 0.0
    most = max(step_us(span), span.width // 8 // (10 * SECOND) * 10 * SECOND)
    return min(most, max(step_us(span), -(-int(wanted) // (10 * SECOND)) * 10 * SECOND))


def _merged(steps: Sequence[Step]) -> dict[int, list[Step]]:
    at: dict[int, list[Step]] = {}
    for step in steps:
        at.setdefault(step.start, []).append(step)
    return at


def _known(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.value is not None]


def _share(
    read: Read,
    name: str,
    span: Span,
    hit: Callable[[Mapping[str, str]], bool],
    *,
    by: tuple[str, ...],
    of: Callable[[Mapping[str, str]], bool] = lambda _labels: True,
) -> Track:
    def counted(steps: Sequence[Step]) -> list[Step]:
        return [step for step in _known(steps) if of(step.labels)]

    whole = counted(series.total(read, name, start=span.start, end=span.end, by=by))
    n = sum(step.value or 0.0 for step in whole)
    hits = sum(step.value or 0.0 for step in whole if hit(step.labels))
    old = span.before()
    past = counted(series.total(read, name, start=old.start, end=old.end, by=by))
    past_n = sum(step.value or 0.0 for step in past)
    past_hits = sum(step.value or 0.0 for step in past if hit(step.labels))
    points: list[tuple[int, float | None]] = []
    found = series.steps(read, name, start=span.start, end=span.end, step_us=step_us(span), by=by)
    for at, group in sorted(_merged(found).items()):
        seen = counted(group)
        all_of = sum(step.value or 0.0 for step in seen)
        points.append((at, sum(step.value or 0.0 for step in seen if hit(step.labels)) / all_of if all_of else None))
    return Track(
        value=hits / n if n else None, before=past_hits / past_n if past_n else None, points=tuple(points), n=int(n)
    )


def _rate(read: Read, name: str, span: Span) -> Track:
    found = series.steps(read, name, start=span.start, end=span.end, step_us=step_us(span))
    old = span.before()
    whole = series.total(read, name, start=span.start, end=span.end)
    past = series.total(read, name, start=old.start, end=old.end)
    return Track(
        value=whole[0].per_second if whole else None,
        before=past[0].per_second if past else None,
        points=tuple((step.start, step.per_second) for step in found),
        n=int(sum(step.value or 0.0 for step in _known(whole))),
    )


def _quantiles(read: Read, name: str, span: Span) -> Callable[[float], Quantile]:
    whole = [step for step in series.total(read, name, start=span.start, end=span.end) if step.counts]
    if not whole:
        return lambda q: quantile((), (0,), q)
    return lambda q: quantile(whole[0].edges, whole[0].counts, q)


def newest(read: Read, *, span: Span) -> int | None:
    """Return the end of the newest window seen in a range."""
    found = series.steps(read, HTTP, start=max(span.start, span.end - 600 * SECOND), end=span.end)
    return max((step.end for step in found if step.covered_us), default=None)


def pulse(read: Read, *, span: Span) -> Pulse:
    """Return the figures on top of the Live page."""
    at = _quantiles(read, SECONDS, span)
    covered = series.total(read, REQUESTS, start=span.start, end=span.end)
    wide = latency_step_us(span, covered[0].per_second if covered else None)
    over_time = series.steps(read, SECONDS, start=span.start, end=span.end, step_us=wide)
    latency: dict[str, list[tuple[int, float | None]]] = {"p50": [], "p95": [], "p99": []}
    for step in over_time:
        for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            value = quantile(step.edges, step.counts, q).value if step.counts else None
            latency[name].append((step.start, None if value is None else 1000 * value))
    watched = covered[0].covered_us / (span.width * covered[0].replicas) if covered and covered[0].replicas else None
    return Pulse(
        per_second=_rate(read, REQUESTS, span),
        errors=_share(
            read,
            HTTP,
            span,
            lambda labels: labels.get("status_class") == "5xx",
            by=("status_class", "route"),
            of=lambda labels: labels.get("route") not in PROBES,
        ),
        p50=at(0.5),
        p95=at(0.95),
        p99=at(0.99),
        latency={name: tuple(points) for name, points in latency.items()},
        latency_n=tuple(sum(step.counts) for step in over_time),
        fallback=_share(read, REQUESTS, span, lambda labels: labels.get("outcome") != "model", by=("outcome",)),
        cache_hits=_share(read, CACHE, span, lambda labels: labels.get("result") == "hit", by=("result",)),
        confidence=_quantiles(read, CONFIDENCE, span)(0.5),
        coverage=None if watched is None else min(1.0, watched),
        as_of=newest(read, span=span),
    )


def outcomes(read: Read, *, span: Span) -> dict[str, Points]:
    """Return decisions per second by what served them."""
    found = series.steps(read, REQUESTS, start=span.start, end=span.end, step_us=step_us(span), by=("outcome",))
    lines: dict[str, list[tuple[int, float | None]]] = {}
    for step in found:
        lines.setdefault(step.labels.get("outcome", "all"), []).append((step.start, step.per_second))
    return {name: tuple(points) for name, points in lines.items() if any(value for _, value in points)}


def stages(read: Read, *, span: Span) -> tuple[tuple[str, Quantile, float], ...]:
    """Return each stage's 95th percentile and its share of all time."""
    found = [s for s in series.total(read, STAGES, start=span.start, end=span.end, by=("stage",)) if s.counts]
    spent = sum(step.value or 0.0 for step in found) or 1.0
    return tuple(
        (step.labels.get("stage", ""), quantile(step.edges, step.counts, 0.95), (step.value or 0.0) / spent)
        for step in sorted(found, key=lambda one: -(one.value or 0.0))
        if sum(step.counts)
    )


def caches(read: Read, *, span: Span) -> tuple[tuple[str, Rate], ...]:
    """Return the hit rate of each cache."""
    hits: dict[str, list[float]] = {}
    for step in _known(series.total(read, CACHE, start=span.start, end=span.end, by=("cache", "result"))):
        held = hits.setdefault(step.labels.get("cache", ""), [0.0, 0.0])
        held[1] += step.value or 0.0
        held[0] += (step.value or 0.0) if step.labels.get("result") == "hit" else 0.0
    return tuple((name, rate(int(hit), int(n))) for name, (hit, n) in sorted(hits.items()) if n)


def confidence(read: Read, *, span: Span) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    """Return edges and counts of the confidence now, and of the 7 days before."""
    now = [s for s in series.total(read, CONFIDENCE, start=span.start, end=span.end) if s.counts]
    week = [
        s for s in series.total(read, CONFIDENCE, start=span.start - 7 * 86_400 * SECOND, end=span.start) if s.counts
    ]
    if not now:
        return (), (), ()
    return now[0].edges, now[0].counts, week[0].counts if week else ()


def gaps(read: Read, *, span: Span) -> tuple[tuple[int, int], ...]:
    """Return stretches that nobody observed."""
    return tuple((gap.start, gap.end) for gap in series.gaps(read, span.start, span.end))
