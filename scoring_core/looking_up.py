"""A cap's counts of many values at once."""

from typing import Any

import numpy as np
from numba import types

from storage.compiled import compiled

_whole = types.Array(types.int64, 1, "C", readonly=True)


@compiled((_whole, _whole, types.int64, _whole))
def look_up(keys: Any, counts: Any, cap: Any, values: Any) -> Any:
    """Return the places of the values whose counter of a cap was raised, and how often it was, by the keys and counts
    of a ``storage.records.tallies.Tally``; a value below 0 stands for none."""
    places, found = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    known = 0
    first = np.searchsorted(keys, cap << 32)
    end = np.searchsorted(keys, cap << 32 | 0xFFFF_FFFF, side="right")
    for each in range(len(values) if first < end else 0):
        if values[each] >= 0:
            key = (cap << 32) | values[each]
            place = first + np.searchsorted(keys[first:end], key)
            if place < end and keys[place] == key:
                places[known], found[known] = each, counts[place]
                known += 1
    return places[:known], found[:known]
