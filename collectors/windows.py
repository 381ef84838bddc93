"""Reading an engine's answer: samples are refused one by one, with a reason; never the whole answer for one of them."""

import json
import math
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from collectors.client import Failure
from storage.records.clock import HOUR
from storage.records.metrics import Counter, Gauge, Histogram, Window

PREFIX = "fairlead_"
MOST_SERIES = 5_000
_EXACT = 1 << 53
_LATEST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a replica said: its closed windows in its own order, and how many samples were refused for which reason."""

    replica: str
    boot_id: str
    now: int
    windows: tuple[Window, ...]
    rejected: Mapping[str, int]


class _RefusedError(Exception):
    """One sample or window that is not taken, and why."""


def read_windows(body: bytes) -> Answer | Failure:
    """Read the answer of ``/v1/metrics/windows``.

    Numbers that JSON does not know (NaN, Infinity, 1e999) are read and refused sample by sample, not with the answer.
    """
    try:
        document = json.loads(body)
        replica, boot_id, now = document["replica"], document["boot_id"], document["now"]
        raw = document["windows"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Failure(result="parse", detail="the answer is not a document of metric windows")
    if not (_text(replica) and _text(boot_id) and _whole(now) and isinstance(raw, list)):
        return Failure(result="parse", detail="the answer does not say who speaks")
    rejected: Tally[str] = Tally()
    windows = [window for item in raw if (window := _window(item, rejected)) is not None]
    return Answer(replica=replica, boot_id=boot_id, now=now, windows=tuple(windows), rejected=dict(rejected))


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST


def _window(item: Any, rejected: Tally[str]) -> Window | None:
    """Return a window without the samples that were refused; a window that has no place in time is refused whole."""
    if not isinstance(item, dict):
        rejected["window"] += 1
        return None
    start, end, covered = item.get("start"), item.get("end"), item.get("monotonic_us")
    placed = _text(item.get("replica")) and _text(item.get("boot_id")) and _whole(item.get("seq"))
    if not (placed and _whole(start) and _whole(end) and _whole(covered) and 0 < covered <= HOUR):  # type: ignore[operator]  # _whole says that it is a number
        rejected["window"] += 1
        return None
    seen: set[Any] = set()
    return Window(
        replica=item["replica"],
        boot_id=item["boot_id"],
        seq=item["seq"],
        start=item["start"],
        end=max(item["end"], item["start"]),
        monotonic_us=item["monotonic_us"],
        counters=tuple(_samples(item.get("counters"), _counter, seen, rejected)),
        histograms=tuple(_samples(item.get("histograms"), _histogram, seen, rejected)),
        gauges=tuple(_samples(item.get("gauges"), _gauge, seen, rejected)),
    )


def _samples(raw: Any, read: Any, seen: set[Any], rejected: Tally[str]) -> Iterator[Any]:
    for item in raw if isinstance(raw, list) else []:
        try:
            if not isinstance(item, dict):
                raise _RefusedError("unknown")
            name, labels = item.get("name"), item.get("labels", {})
            if not (isinstance(name, str) and _text(name) and name.startswith(PREFIX) and isinstance(labels, dict)):
                raise _RefusedError("unknown")
            if not all(isinstance(label, str) and len(label) <= 500 for label in labels.values()):
                raise _RefusedError("unknown")
            key = (name, tuple(sorted(labels.items())))
            if key in seen:
                raise _RefusedError("duplicate")
            if len(seen) >= MOST_SERIES:
                raise _RefusedError("series_limit")
            sample = read(name, labels, item)
        except _RefusedError as refused:
            rejected[str(refused)] += 1
            continue
        seen.add(key)
        yield sample


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _RefusedError("unknown")
    if isinstance(value, float) and math.isnan(value):
        raise _RefusedError("nan")
    if abs(value) > 1e300:
        raise _RefusedError("inf")
    if value < 0:
        raise _RefusedError("negative")
    return float(value)


def _counter(name: str, labels: Mapping[str, str], item: Mapping[str, Any]) -> Counter:
    return Counter(name=name, labels=labels, value=_number(item.get("value")))


def _gauge(name: str, labels: Mapping[str, str], item: Mapping[str, Any]) -> Gauge:
    return Gauge(name=name, labels=labels, value=_number(item.get("value")))


def _histogram(name: str, labels: Mapping[str, str], item: Mapping[str, Any]) -> Histogram:
    edges, counts = item.get("edges"), item.get("counts")
    if not (isinstance(edges, list) and isinstance(counts, list) and len(counts) == len(edges) + 1 <= 200):
        raise _RefusedError("unknown")
    bounds = [_edge(edge) for edge in edges]
    if any(low >= high for low, high in pairwise(bounds)):
        raise _RefusedError("unknown")
    gained = [_number(count) for count in counts]
    if any(count != int(count) or count > _EXACT for count in gained):
        raise _RefusedError("unknown")
    total = _number(item.get("sum"))
    return Histogram(name=name, labels=labels, edges=tuple(bounds), counts=tuple(map(int, gained)), sum=total)


def _edge(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
        raise _RefusedError("unknown")
    return float(value)
