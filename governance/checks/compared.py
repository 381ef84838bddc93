"""One feature in two windows: how often each value came, before and now; all that drift is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from governance.checks.shift import MISSING, Binned, bin_categories, bin_support
from storage.distributions import Distribution, align

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Kind = Literal["number", "category"]
UNNAMED = "(rare)"
"""How a text is called that came too seldom to be kept by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How often each value came. ``support`` are the numbers in order, ``levels`` the categories; the other is empty.

    ``missing`` counts the rows without a value in each window; ``whole`` tells that every number was an integer.
    """

    feature: str
    kind: Kind
    before: Whole
    now: Whole
    support: Floats
    levels: tuple[str, ...] = ()
    missing: tuple[int, int] = (0, 0)
    whole: bool = False

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows each window has."""
        return int(self.before.sum()) + self.missing[0], int(self.now.sum()) + self.missing[1]

    def binned(self) -> Binned:
        """Return both windows in common bins; missing values have a bin of their own."""
        if self.kind == "number":
            return bin_support(self.support, self.before, self.now, self.missing)
        return bin_categories(
            (*self.levels, None), np.append(self.before, self.missing[0]), np.append(self.now, self.missing[1])
        )


def of_numbers(feature: str, before: NDArray[Any], now: NDArray[Any]) -> Compared:
    """Return two windows of numbers; NaN and infinities count as missing."""
    parts = [np.asarray(part) for part in (before, now)]
    kept = [np.sort(part[np.isfinite(part)].astype(np.float64, copy=False)) for part in parts]
    pooled = np.sort(np.concatenate(kept), kind="stable")  # merges two runs
    first = np.flatnonzero(np.diff(pooled, prepend=np.nan) != 0)
    both = np.diff(np.append(first, len(pooled)))
    support = pooled[first]
    counted = np.diff(np.searchsorted(kept[0], support, side="right"), prepend=0)
    return Compared(
        feature=feature,
        kind="number",
        support=support,
        before=counted.astype(np.int64),
        now=(both - counted).astype(np.int64),
        missing=(len(parts[0]) - len(kept[0]), len(parts[1]) - len(kept[1])),
        whole=all(np.issubdtype(part.dtype, np.integer) for part in parts),
    )


def of_levels(feature: str, levels: Sequence[str | None], before: NDArray[Any], now: NDArray[Any]) -> Compared:
    """Return two windows of categories from their counts; the level None is a missing value."""
    there = np.array([level is not None for level in levels], dtype=np.bool_)
    windows = [np.asarray(part, dtype=np.int64) for part in (before, now)]
    return Compared(
        feature=feature,
        kind="category",
        support=np.empty(0),
        levels=tuple(level for level in levels if level is not None),
        before=windows[0][there],
        now=windows[1][there],
        missing=(int(windows[0][~there].sum()), int(windows[1][~there].sum())),
    )


def missingness(pair: Compared) -> Compared:
    """Return whether a value was there, as a feature of its own."""
    rows = pair.rows
    return of_levels(
        f"{pair.feature} {MISSING}",
        ("there", "missing"),
        np.array([rows[0] - pair.missing[0], pair.missing[0]]),
        np.array([rows[1] - pair.missing[1], pair.missing[1]]),
    )


def of_kept(feature: str, before: Distribution, now: Distribution) -> Compared:
    """Return two kept distributions side by side; where one is of numbers and the other of texts, each is one level."""
    if before.kind != now.kind:
        one, other = (int(each.counts.sum()) for each in (before, now))
        missing = before.missing, now.missing
        return of_levels(
            feature,
            (before.kind, now.kind, None),
            np.array([one, 0, missing[0]]),
            np.array([0, other, missing[1]]),
        )
    first, second = align(before, now)
    keys = np.union1d(first.keys, second.keys)
    windows = [np.zeros(len(keys), dtype=np.int64) for _ in range(2)]
    for each, counts in zip((first, second), windows, strict=True):
        counts[np.searchsorted(keys, each.keys)] = each.counts
    whole = Distribution(kind=first.kind, keys=keys, counts=windows[0], drop=first.drop)
    names = {**second.names, **first.names}
    return Compared(
        feature=feature,
        kind=first.kind,
        support=whole.values() if first.kind == "number" else np.empty(0),
        levels=() if first.kind == "number" else tuple(names.get(key, UNNAMED) for key in keys.tolist()),
        before=windows[0],
        now=windows[1],
        missing=(first.missing, second.missing),
    )
