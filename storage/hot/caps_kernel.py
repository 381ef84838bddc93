"""The compiled steps on a holder's rows of counted impressions: tally them, claim slots.

Rows are those of ``storage.hot.caps.ROW`` as an array (rows, 4) of uint32: cap, value, at, mark. Spans are those of
``storage.hot.caps.Windows``, (caps, 4) of int64: cap, since when its rows count, since when they matter, limit.
"""

from typing import Any

import numpy as np
from numba import types

from storage.compiled import compiled

HELD = np.int64(1 << 31)
"""The bit of a mark that says that the row is a reservation."""


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_rows, _whole, _pairs = _array(types.uint32, 2), _array(types.int64), _array(types.int64, 2)


@compiled((_rows, types.int64, _pairs))
def tally(rows: Any, now: Any, spans: Any) -> Any:
    """Return the counters of caps that were raised within their spans, reservations included, as ``cap << 32 | value``
    in ascending order, and how often each was."""
    keys = np.empty(len(rows), np.int64)
    found = 0
    for row in range(len(rows)):
        cap, at, mark = np.int64(rows[row, 0]), np.int64(rows[row, 2]), np.int64(rows[row, 3])
        for place in range(len(spans)):
            if spans[place, 0] == cap and (at > now if mark & HELD else at >= spans[place, 1]):
                keys[found] = (cap << 32) | np.int64(rows[row, 1])
                found += 1
                break
    keys = np.sort(keys[:found])
    counts = np.zeros(found, np.int64)
    left = 0
    for each in range(found):
        if each == 0 or keys[each] != keys[left - 1]:
            keys[left] = keys[each]
            left += 1
        counts[left - 1] += 1
    return keys[:left], counts[:left]


@compiled((_rows, types.int64, _pairs, _whole, _pairs, _whole))
def _found(  # noqa: PLR0917  # flat arrays: the compiled loop takes no objects
    rows: Any, now: Any, spans: Any, marks: Any, counters: Any, since: Any
) -> Any:
    """Return which rows still matter, how often each counter was raised, and whether its claim had raised it before."""
    counts, known = np.zeros(len(counters), np.int64), np.zeros(len(counters), np.bool_)
    kept = np.ones(len(rows), np.bool_)
    for row in range(len(rows)):
        cap, value = np.int64(rows[row, 0]), np.int64(rows[row, 1])
        at, mark = np.int64(rows[row, 2]), np.int64(rows[row, 3])
        held = mark & HELD != 0
        if held:
            kept[row] = at > now
        else:
            for place in range(len(spans)):
                kept[row] &= spans[place, 0] != cap or at >= spans[place, 2]
        for each in range(len(counters) if kept[row] else 0):
            if counters[each, 1] == cap and counters[each, 2] == value:
                counts[each] += held or at >= since[each]
                known[each] |= mark & ~HELD == marks[counters[each, 0]]
    return kept, counts, known


@compiled((_whole, _pairs, _whole, _whole, _array(types.boolean)))
def _refused(marks: Any, counters: Any, limits: Any, counts: Any, known: Any) -> Any:
    """Return which claims do not fit, each counted before the next is looked at, and what need not be added: known
    before, or named by an earlier claim of the same mark."""
    refused, counts, known = np.zeros(len(marks), np.bool_), counts.copy(), known.copy()
    for claimed in range(len(marks)):
        for each in range(len(counters)):
            if counters[each, 0] == claimed and not known[each] and counts[each] >= limits[each]:
                refused[claimed] = True
        for each in range(0 if refused[claimed] else len(counters)):
            if counters[each, 0] == claimed and not known[each]:
                for other in range(len(counters)):
                    if counters[other, 1] == counters[each, 1] and counters[other, 2] == counters[each, 2]:
                        counts[other] += 1
                        known[other] |= other > each and marks[counters[other, 0]] == marks[claimed]
    return refused, known


@compiled((_rows, types.int64, _pairs, _whole, _pairs, types.int64, types.int64, types.boolean))
def claim(  # noqa: PLR0917  # flat arrays: the compiled loop takes no objects
    rows: Any, now: Any, spans: Any, marks: Any, counters: Any, at: Any, flag: Any, partly: Any
) -> Any:
    """Claim slots: all of them or none, with ``partly`` those that fit, in their order.

    ``marks`` are the claims' marks; ``counters`` have the place of a claim, a cap with a span, and a value. Return
    which rows still matter, whether all do, which claims are refused, whether none is, and the rows to add, which are
    marked ``flag`` and dated ``at``.
    """
    since, limits = np.zeros(len(counters), np.int64), np.zeros(len(counters), np.int64)
    for each in range(len(counters)):
        for place in range(len(spans)):
            if spans[place, 0] == counters[each, 1]:
                since[each], limits[each] = spans[place, 1], spans[place, 3]
    kept, counts, known = _found(rows, now, spans, marks, counters, since)
    refused, known = _refused(marks, counters, limits, counts, known)
    whole = not refused.any()
    added = np.zeros((len(counters), 4), np.uint32)
    left = 0
    for each in range(len(counters) if partly or whole else 0):
        if not known[each] and not refused[counters[each, 0]]:
            added[left, 0], added[left, 1] = counters[each, 1], counters[each, 2]
            added[left, 2], added[left, 3] = at, marks[counters[each, 0]] | flag
            left += 1
    return kept, kept.all(), refused, whole, added[:left]
