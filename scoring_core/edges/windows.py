"""Closed windows of this replica's metrics: what every family gained since the window before."""

import math
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from scoring_core.edges.instruments import Counter as CounterFamily
from scoring_core.edges.instruments import Gauge as GaugeFamily
from scoring_core.edges.instruments import Histogram as HistogramFamily
from scoring_core.edges.instruments import Instrument, LabelValues
from storage.records import wire
from storage.records.clock import MINUTE
from storage.records.metrics import Counter, Gauge, Histogram, Window

KEEP_US = 60 * MINUTE


class Windows:
    """The ring of closed windows, 60 minutes of them, those of earlier boots included where a stop was graceful.

    Parameters
    ----------
    families
        The live accumulators, by name.
    replica, boot_id
        Who speaks; a new boot id starts at sequence 0.
    now, monotonic_us
        When the first window opens, by both clocks.
    keep_us
        How long a closed window is kept.
    """

    def __init__(
        self,
        families: Mapping[str, Instrument],
        *,
        replica: str,
        boot_id: str,
        now: int,
        monotonic_us: int,
        keep_us: int = KEEP_US,
    ) -> None:
        self._families, self._keep_us = families, keep_us
        self._replica = replica
        self.boot_id = boot_id
        self._seq = 0
        self._start, self._monotonic = now, monotonic_us
        self._counts: dict[tuple[str, LabelValues], float] = {}
        self._spreads: dict[tuple[str, LabelValues], tuple[list[int], float]] = {}
        self.ring: deque[Window] = deque()

    def close(self, now: int, monotonic_us: int) -> Window:
        """Close the running window, keep it, and open the next."""
        counters: list[Counter] = []
        histograms: list[Histogram] = []
        gauges: list[Gauge] = []
        for family in tuple(self._families.values()):
            match family:
                case CounterFamily():
                    counters.extend(self._counter(family))
                case HistogramFamily():
                    histograms.extend(self._histogram(family))
                case GaugeFamily():
                    gauges.extend(
                        Gauge(name=family.name, labels=_named(family.labels, labels), value=value)
                        for labels, value in family.read().items()
                        if math.isfinite(value)
                    )
        window = Window(
            replica=self._replica,
            boot_id=self.boot_id,
            seq=self._seq,
            start=self._start,
            end=now,
            monotonic_us=monotonic_us - self._monotonic,
            counters=tuple(counters),
            histograms=tuple(histograms),
            gauges=tuple(gauges),
        )
        self._seq += 1
        self._start, self._monotonic = now, monotonic_us
        self.ring.append(window)
        while self.ring[0].end < now - self._keep_us:
            self.ring.popleft()
        return window

    def after(self, boot_id: str, seq: int) -> list[Window]:
        """Return the windows that follow (boot_id, seq); all of them for a boot that is not remembered."""
        boots = [window.boot_id for window in self.ring]
        first = boots.index(boot_id) if boot_id in boots else 0
        return [
            window
            for place, window in enumerate(self.ring)
            if place >= first and (window.boot_id != boot_id or window.seq > seq)
        ]

    def save(self, path: Path) -> None:
        """Keep the ring for the next process to serve; written whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(wire.encode(list(self.ring)))
        fresh.replace(path)

    def load(self, path: Path, now: int) -> None:
        """Take over what earlier boots left, as far as it is younger than 60 minutes; a file that cannot be read is
        none."""
        try:
            earlier = wire.decode(list[Window], path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return
        self.ring.extendleft(
            window
            for window in reversed(earlier)
            if window.end >= now - self._keep_us and window.boot_id != self.boot_id
        )

    def _counter(self, family: CounterFamily) -> list[Counter]:
        grown: list[Counter] = []
        for labels, count in tuple(family.children.items()):
            key, value = (family.name, labels), count.value
            gained = value - self._counts.get(key, 0.0)
            if gained:
                self._counts[key] = value
                grown.append(Counter(name=family.name, labels=_named(family.labels, labels), value=gained))
        return grown

    def _histogram(self, family: HistogramFamily) -> list[Histogram]:
        grown: list[Histogram] = []
        blank = ([0] * (len(family.edges) + 1), 0.0)
        for labels, spread in tuple(family.children.items()):
            key, counts, total = (family.name, labels), list(spread.counts), spread.sum
            before, before_sum = self._spreads.get(key, blank)
            if counts != before:
                self._spreads[key] = (counts, total)
                grown.append(
                    Histogram(
                        name=family.name,
                        labels=_named(family.labels, labels),
                        edges=family.edges,
                        counts=tuple(new - old for new, old in zip(counts, before, strict=True)),
                        sum=total - before_sum,
                    )
                )
        return grown


def _named(names: LabelValues, values: LabelValues) -> dict[str, str]:
    return dict(zip(names, values, strict=True))
