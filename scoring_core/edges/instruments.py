"""Accumulators that cost next to nothing: counts and histograms of one thread, gauges read when someone looks."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

LabelValues = tuple[str, ...]
OTHER = "other"

# fmt: off
L20 = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05,
       0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0)
# fmt: on
S12 = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
C20 = tuple(round(0.05 * step, 2) for step in range(1, 21))
EXPOSURE_COST = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
B8 = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0)
LAG = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0)
POLICY_PROPAGATION = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
CONSENT_PROPAGATION = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)


class Count:
    """A number that only grows. One thread writes it."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, by: float = 1.0) -> None:
        """Grow."""
        self.value += by


class Spread:
    """A histogram: ``counts`` per bucket, not cumulative, the last one open. One thread writes it."""

    __slots__ = ("counts", "edges", "sum")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Put one observation into its bucket; an edge belongs to the bucket below it, as in Prometheus."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Counter:
    """A counter and its label sets. Beyond ``limit`` sets the first label becomes ``other``; ``overflow`` hears it."""

    name: str
    text: str
    labels: LabelValues = ()
    limit: int = 2_000
    overflow: Callable[[str], None] = lambda _label: None
    children: dict[LabelValues, Count] = field(default_factory=dict)

    def child(self, *values: str) -> Count:
        """Return the accumulator of one label set, making it on first use."""
        found = self.children.get(values)
        if found is None:
            found = self.children.setdefault(_bounded(self, values), Count())
        return found


@dataclass(slots=True)
class Histogram:
    """A histogram and its label sets, bounded like a counter's."""

    name: str
    text: str
    edges: tuple[float, ...]
    labels: LabelValues = ()
    limit: int = 100
    overflow: Callable[[str], None] = lambda _label: None
    children: dict[LabelValues, Spread] = field(default_factory=dict)

    def child(self, *values: str) -> Spread:
        """Return the accumulator of one label set, making it on first use."""
        found = self.children.get(values)
        if found is None:
            found = self.children.setdefault(_bounded(self, values), Spread(self.edges))
        return found


@dataclass(slots=True)
class Gauge:
    """A gauge: ``read`` is asked when someone looks, and names every label set that exists then."""

    name: str
    text: str
    labels: LabelValues = ()
    read: Callable[[], Mapping[LabelValues, float]] = dict


Instrument = Counter | Histogram | Gauge


def _bounded(family: Counter | Histogram, values: LabelValues) -> LabelValues:
    if len(values) != len(family.labels):
        raise ValueError(f"{family.name} takes the labels {family.labels}")
    if len(family.children) < family.limit or not values or values[0] == OTHER:
        return values
    family.overflow(family.labels[0])
    return (OTHER, *values[1:])


def start_at_zero(family: Counter | Histogram, *values: Iterable[str]) -> None:
    """Make every combination of the known label values, so that a first increment is not lost.

    >>> family = Counter("a_total", "An example.", ("x", "y"))
    >>> start_at_zero(family, ("1", "2"), ("3",))
    >>> sorted(family.children)
    [('1', '3'), ('2', '3')]
    """
    for combination in product(*values):
        family.child(*combination)
