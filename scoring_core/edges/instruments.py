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
