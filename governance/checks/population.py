"""The rows of an audit in columns: who is compared, what is measured, who the rows belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from governance.checks.permutation import Floats, Whole

MOST_GROUPS = 60
"""Of a grouping with more, the smallest are put together."""
OTHERS = "(others)"
TIMES = " × "
RATE = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Who is compared: the group of each row as a place in ``names``; −1: it does not say. ``by`` are the columns that
    it was made of, ``levels`` their values by group. ``owners`` numbers whom each row belongs to (−1: to nobody
    else's), None where all rows are taken as independent."""

    by: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: NDArray[np.integer]
    owners: NDArray[np.integer] | None = None

    @property
    def name(self) -> str:
        """The grouping's name for people."""
        return TIMES.join(self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is compared: the outcome of each row as a place in ``values``, what it is worth; −1: the measure does not
    concern the row. ``strata`` (−1: left out) bounds comparison to rows that are alike in something. ``unit`` is what
    its rows are called, where they are not all."""

    name: str
    words: str
    outcomes: NDArray[np.integer]
    values: Floats = field(default_factory=lambda: RATE)
    strata: NDArray[np.integer] | None = None
    unit: str = ""


def grouping(
    name: str, codes: NDArray[np.integer], names: Sequence[str], *, owners: NDArray[np.integer] | None = None
) -> Grouping:
    """Return the grouping by one column, in the order of ``names``; those without a row are dropped."""
    sizes = np.bincount(codes[codes >= 0].astype(np.intp), minlength=len(names))
    present = [place for place in range(len(names)) if sizes[place]]
    kept = sorted(sorted(present, key=lambda place: -sizes[place])[:MOST_GROUPS])
    new = np.full(len(names) + 1, len(kept) if len(present) > len(kept) else -1, dtype=np.int32)
    new[-1] = -1
    new[kept] = np.arange(len(kept))
    told = [names[place] for place in kept] + ([OTHERS] if len(present) > len(kept) else [])
    return Grouping(
        by=(name,), names=tuple(told), levels=tuple((each,) for each in told), codes=new[codes], owners=owners
    )


def crossed(groupings: Sequence[Grouping]) -> Grouping:
    """Return the intersection: one group for each combination that has rows; unknown where any part is."""
    codes = np.zeros(len(groupings[0].codes), dtype=np.int64)
    known = np.ones(len(codes), dtype=np.bool_)
    for each in groupings:
        known &= each.codes >= 0
        codes = codes * len(each.names) + each.codes
    codes[~known] = -1
    shape = tuple(len(each.names) for each in groupings)
    sizes = np.bincount(codes[known], minlength=int(np.prod(shape)))
    kept = np.flatnonzero(sizes)
    if len(kept) > MOST_GROUPS:
        kept = np.sort(kept[np.argsort(-sizes[kept], kind="stable")[:MOST_GROUPS]])
    new = np.full(len(sizes) + 1, len(kept) if np.count_nonzero(sizes) > len(kept) else -1, dtype=np.int32)
    new[-1] = -1
    new[kept] = np.arange(len(kept))
    levels = [
        tuple(each.names[place] for each, place in zip(groupings, places, strict=True))
        for places in zip(*np.unravel_index(kept, shape), strict=True)
    ]
    if np.count_nonzero(sizes) > len(kept):
        levels.append((OTHERS,) * len(groupings))
    return Grouping(
        by=tuple(each.by[0] for each in groupings),
        names=tuple(TIMES.join(level) for level in levels),
        levels=tuple(levels),
        codes=new[codes],
        owners=groupings[0].owners,
    )


def pairs(groupings: Sequence[Grouping]) -> tuple[Grouping, ...]:
    """Return the intersection of each two of the groupings that have rows."""
    return tuple(crossed(two) for two in combinations([each for each in groupings if each.names], 2))


def counted(groups: Grouping, measure: Measure, strata: NDArray[np.integer] | None = None) -> Whole:
    """Count rows: (groups, outcomes), or (strata, groups, outcomes) where the measure or the caller names strata."""
    width, height = len(measure.values), len(groups.names)
    known = (groups.codes >= 0) & (measure.outcomes >= 0)
    code = groups.codes * np.int64(width) + measure.outcomes
    deep = [each for each in (measure.strata, strata) if each is not None]
    depth = 1
    for each in deep:
        known &= each >= 0
        size = int(each.max(initial=0)) + 1
        code += each * np.int64(depth * width * height)
        depth *= size
    counts: Whole = np.bincount(code[known], minlength=depth * width * height).reshape(depth, height, width)
    if not deep:
        return np.asarray(counts[0])
    filled: Whole = counts[counts.sum(axis=(1, 2)) > 0]
    return filled if len(filled) else counts[:1]


def classification(label: NDArray[np.integer] | None, prediction: NDArray[np.integer]) -> tuple[Measure, ...]:
    """Return what classifiers are held to: selection rate and, where the truth is known, true and false positive rate
    and accuracy; both columns hold 0, 1, and −1 for unknown."""
    selected = Measure(name="selection_rate", words="selection rate", outcomes=prediction)
    if label is None:
        return (selected,)
    return (
        selected,
        Measure(name="tpr", words="true positive rate", outcomes=np.where(label == 1, prediction, -1)),
        Measure(name="fpr", words="false positive rate", outcomes=np.where(label == 0, prediction, -1)),
        Measure(
            name="accuracy",
            words="accuracy",
            outcomes=np.where((label >= 0) & (prediction >= 0), label == prediction, -1),
        ),
    )
