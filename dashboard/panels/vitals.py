"""Panels of the Live page."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from dashboard import cached, shown
from dashboard.cached import read
from dashboard.context import Context
from dashboard.figures import bars
from dashboard.panels import over_time
from dashboard.queries import live, overview
from dashboard.queries.freshness import POLL_US
from dashboard.queries.live import SLO_S, Track
from dashboard.span import SPANS, ending
from dashboard.text import SERVED, count, digits, milliseconds, percent
from dashboard.widgets import as_of, chart, empty, note, simulated, table, trend
from storage.quantiles import Quantile
from storage.records import clock

Moving = Callable[[], Context]
LATE_US = 6 * POLL_US
"""Where no engine was heard of for so long the range ends with the clock, so that the silence is seen."""
WAY_OUT = "`fairlead doctor` lists the targets and their last error."


def moving(context: Context) -> Moving:
    """Return what gives the context of this very moment: a fragment runs again and again with the same arguments.

    The range ends with the newest window while engines report, so that all who look share one reading of each window;
    of a week and more, one of each minute.
    """
    span = context.span

    def now() -> Context:
        if not context.refresh_s:
            return context
        at = clock.now()
        head = cached.head(replace(context, now=at))
        end, fine = ending(span.width, at), span.width < SPANS["7d"]
        if fine and head.at is not None and end - LATE_US < head.at < end:
            end = head.at
        here = replace(span, start=end - span.width, end=end) if span.key in SPANS else span
        moved = replace(context, now=at, head=head.mark if fine else "", span=here)
        shown.ranged(moved)
        return moved

    return now


def told(found: Quantile) -> str:
    """Return a quantile, or why there is none.

    >>> told(Quantile(value=None, low=0.0, high=0.1, n=7, minimum=20, reason="few"))
    'n too small'
    """
    if found.value is not None:
        return milliseconds(found.value)
    return {"open": f"> {digits(found.low or 0.0)} s", "few": "n too small"}.get(found.reason, "–")


def _before(track: Track, shown: str) -> str:
    return f"was {shown}" if track.before is not None else "no range before"


def cards(context: Context) -> None:
    """Draw the row of figures."""
    now = read(context, live.pulse, span=context.span)
    if now.as_of is None and not now.per_second.n:
        empty("No replica was scraped in this range.", WAY_OUT)
        return
    one, two, three, four, five, six = st.columns(6)
    one.metric(
        "Decisions",
        "–" if now.per_second.value is None else f"{digits(now.per_second.value)} /s",
        delta=_before(now.per_second, f"{digits(now.per_second.before or 0.0)} /s"),
        delta_color="off",
        delta_arrow="off",
        help="Decisions a second of covered time. Source: fairlead_decision_requests_total.",
    )
    trend(one, context, now.per_second.points, what="Decisions a second")
    two.metric(
        "Errors",
        percent(now.errors.value),
        delta=f"n {count(now.errors.n)}, {_before(now.errors, percent(now.errors.before))}",
        delta_color="off",
        delta_arrow="off",
        help="HTTP answers of class 5xx among all, probes of health and readiness left out. "
        "Source: fairlead_http_requests_total.",
    )
    trend(two, context, now.errors.points, what="Errors", told=percent)
    three.metric(
        "p95 latency",
        told(now.p95),
        delta=f"p50 {told(now.p50)}, n {count(now.p95.n)}",
        delta_color="off",
        delta_arrow="off",
        help="Request to answer. p50 is shown from 20 decisions on, p95 from 200, p99 from 1,000. The line is p50. "
        "Source: fairlead_decision_duration_seconds.",
    )
    trend(three, context, now.latency["p50"], what="p50 in ms")
    four.metric(
        "Fallback or default",
        percent(now.fallback.value, 3),
        delta=f"n {count(now.fallback.n)}, {_before(now.fallback, percent(now.fallback.before, 3))}",
        delta_color="off",
        delta_arrow="off",
        help="Decisions that the policy's own scorer did not serve, but a fallback, rules or the default. "
        "Source: fairlead_decision_requests_total.",
    )
    trend(four, context, now.fallback.points, what="Fallback or default", told=percent)
    five.metric(
        "Cache hits",
        percent(now.cache_hits.value, 3),
        delta=f"n {count(now.cache_hits.n)}, {_before(now.cache_hits, percent(now.cache_hits.before, 3))}",
        delta_color="off",
        delta_arrow="off",
        help="Look-ups that a cache answered, all caches. Source: fairlead_cache_requests_total.",
    )
    trend(five, context, now.cache_hits.points, what="Cache hits", told=percent)
    median = now.confidence
    six.metric(
        "Median confidence",
        percent(median.value, 3) if median.value is not None else ("n too small" if median.n else "uncalibrated"),
        delta=f"n {count(median.n)}",
        delta_color="off",
        delta_arrow="off",
        help="Of decisions of models that carry a calibrated confidence. Source: fairlead_decision_confidence_ratio.",
    )
    as_of(now.as_of, context)
    simulated(tuple(read(context, overview.by_origin, span=context.span)))
    if now.coverage is not None and now.coverage < 0.99:
        note(f":material/hourglass_bottom: {percent(now.coverage, 3)} of the range was observed")


def latency(context: Context) -> None:
    """Draw the quantiles over time."""
    now = read(context, live.pulse, span=context.span)
    if not any(value is not None for points in now.latency.values() for _, value in points):
        empty(f"Too few decisions a step for a quantile ({count(now.p50.n)} in all).", "Choose a longer range.")
        return
    texts = tuple(f"n {count(n)}" for n in now.latency_n)
    over_time.draw(
        context,
        now.latency,
        key="latency-chart",
        what="Latency",
        unit="ms",
        limit=(1000 * SLO_S, "target: 99 % within 50 ms"),
        hover=dict.fromkeys(now.latency, texts),
    )


def outcomes(context: Context) -> None:
    """Draw decisions a second by outcome."""
    found = {SERVED.get(name, name): points for name, points in read(context, live.outcomes, span=context.span).items()}
    if not found:
        empty("No decision in this range.", "Send requests to `/v1/personalize`.")
        return
    over_time.draw(context, found, key="outcomes-chart", what="Decisions by outcome", unit="decisions/s")


def stages(context: Context) -> None:
    """Draw where the time goes."""
    found = read(context, live.stages, span=context.span)
    if not found:
        empty("No stage was timed in this range.", WAY_OUT)
        return
    names, share = [name for name, _, _ in found], [part for _, _, part in found]
    chart(
        bars.histogram(names, [("share of time", share)], context.look, title="stage", percent=True),
        key="stages-chart",
        alt="Share of decision time by stage: " + ", ".join(f"{name} {percent(part)}" for name, _, part in found),
        rows=lambda: [{"stage": name, "p95": told(at), "n": at.n, "share_of_time": part} for name, at, part in found],
    )
    note(" · ".join(f"{name} p95 {told(at)}" for name, at, _ in found))


def confidence(context: Context) -> None:
    """Draw the confidence now against the week before."""
    edges, now, week = read(context, live.confidence, span=context.span)
    if not sum(now):
        note("No decision in this range carries a calibrated confidence.")
        return
    names = [percent(edge, 2) for edge in edges]
    parts = [("now", [n / sum(now) for n in now[: len(edges)]])]
    if sum(week):
        parts.append(("7 days before", [n / sum(week) for n in week[: len(edges)]]))
    chart(
        bars.histogram(names, parts, context.look, title="confidence, up to", percent=True),
        key="confidence-chart",
        alt=f"Confidence of {count(sum(now))} decisions",
        rows=lambda: [{"up_to": edge, "n": n} for edge, n in zip(edges, now, strict=False)],
    )
    note(f"n {count(sum(now))} now, {count(sum(week))} in the 7 days before")


def caches(context: Context) -> None:
    """Draw hits by cache."""
    found = read(context, live.caches, span=context.span)
    if not found:
        empty("No cache was asked in this range.", WAY_OUT)
        return
    table(
        [
            {
                "cache": name,
                "hits": percent(one.value, 3),
                "95 % low": percent(one.low, 3),
                "95 % high": percent(one.high, 3),
                "n": one.n,
            }
            for name, one in found
        ],
        key="caches-table",
        alt="Hits by cache with interval and count",
    )
