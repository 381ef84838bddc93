"""Rates that people read, each with its counts, its interval, and what is still open."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from storage import series
from storage.cells import CELL_US, totals
from storage.cursors import positions
from storage.database import Read
from storage.records.clock import DAY, HOUR, MINUTE
from storage.records.proportions import wilson

CLOSING_US = 10 * MINUTE
STALE_US = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``hits`` of ``n`` with a 95 % Wilson interval; all None where nothing was counted. ``open_n`` counts what lies in
    windows that may still change and is left out."""

    value: float | None
    low: float | None
    high: float | None
    hits: float
    n: float
    open_n: int = 0


def rate(hits: float, n: float, *, open_n: int = 0) -> Rate:
    """Return a rate with its interval."""
    if n <= 0:
        return Rate(value=None, low=None, high=None, hits=hits, n=n, open_n=open_n)
    low, high = wilson(hits, n)
    return Rate(value=hits / n, low=low, high=high, hits=hits, n=n, open_n=open_n)


def watermark(read: Read) -> int | None:
    """Return the event time up to which every journal was read; None when none was.

    A log that stands an hour behind the furthest (its replica is gone) holds nobody up.
    """
    marks = [orjson.loads(text)["watermark"] for text in positions(read, "journal:").values()]
    return min((mark for mark in marks if mark >= max(marks) - STALE_US), default=None)


def closed_before(read: Read, *, join_window_us: int = DAY) -> int:
    """Return the instant before which windows are closed: the watermark less join window and ten minutes."""
    mark = watermark(read)
    return 0 if mark is None else (mark - join_window_us - CLOSING_US) // CELL_US * CELL_US


def hit_rate(
    read: Read,
    *,
    start: int,
    end: int,
    campaign: str | None = None,
    origins: Sequence[str] | None = None,
    join_window_us: int = DAY,
) -> Rate:
    """Return decisions with at least one joined click ÷ decisions with at least one impression, in closed windows.

    Imported windows are closed: nothing more can come of them.
    """
    closed = min(max(closed_before(read, join_window_us=join_window_us), start), end)
    hits = shown = open_n = 0
    for first, last in ((start, closed), (closed, end)):
        for cell in totals(read, start=first, end=last, campaign=campaign, origins=origins, by=("origin",)):
            if cell.a == "imported" or last == closed:
                hits += cell.hit_decisions
                shown += cell.shown_decisions
            else:
                open_n += cell.shown_decisions
    return rate(hits, shown, open_n=open_n)


def click_rate(
    read: Read, *, start: int, end: int, campaign: str | None = None, origins: Sequence[str] | None = None
) -> Rate:
    """Return clicks ÷ impressions, open windows included."""
    return _share(read, "clicks", "impressions", start=start, end=end, campaign=campaign, origins=origins)


def conversion_rate(
    read: Read, *, start: int, end: int, campaign: str | None = None, origins: Sequence[str] | None = None
) -> Rate:
    """Return impressions that reached their campaign's goal ÷ impressions, open windows included."""
    return _share(read, "conversions", "impressions", start=start, end=end, campaign=campaign, origins=origins)


def model_share(
    read: Read,
    *,
    start: int,
    end: int,
    campaign: str | None = None,
    origins: Sequence[str] | None = ("live", "simulated"),
) -> Rate:
    """Return decisions served by the model ÷ decisions; imported ones, which our models did not make, left out."""
    return _share(read, "model_decisions", "decisions", start=start, end=end, campaign=campaign, origins=origins)


def _share(
    read: Read,
    hits: str,
    n: str,
    *,
    start: int,
    end: int,
    campaign: str | None,
    origins: Sequence[str] | None,
) -> Rate:
    found = totals(read, start=start, end=end, campaign=campaign, origins=origins, by=())
    return rate(sum(getattr(cell, hits) for cell in found), sum(getattr(cell, n) for cell in found))


def availability(read: Read, *, start: int, end: int) -> Rate:
    """Return decisions that did not end in an error ÷ all but invalid requests."""
    asked = series.total(read, "fairlead_decision_requests_total", start=start, end=end, by=("outcome", "reason"))
    valid = [step for step in asked if step.labels["reason"] != "invalid"]
    good = sum(step.value or 0.0 for step in valid if step.labels["outcome"] != "error")
    return rate(good, sum(step.value or 0.0 for step in valid))


def latency_within(read: Read, *, start: int, end: int, threshold_s: float) -> Rate:
    """Return decisions answered within ``threshold_s`` (an edge of the histogram) ÷ all that were answered."""
    found = series.total(read, "fairlead_decision_duration_seconds", start=start, end=end, by=("outcome_class",))
    answered = [step for step in found if step.labels["outcome_class"] != "error"]
    good = sum(
        count for step in answered for edge, count in zip(step.edges, step.counts, strict=False) if edge <= threshold_s
    )
    return rate(good, sum(sum(step.counts) for step in answered))
