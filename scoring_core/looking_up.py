"""A cap's counts of many values at once."""

from typing import Any

import numpy as np
from numba import types

from storage.compiled import compiled

_whole = types.Array(types.int64, 1, "C", readonly=True)


@compiled((_whole, _whole, types.int64, _whole))
def look_up(keys: Any, counts: Any, cap: Any, values: Any) -> Any:
    """Return how often a cap's counter of each value was raised, by the keys and counts of a
    ``storage.records.tallies.Tally``; 0 for a value below 0, which stands for none."""
    found = np.zeros(len(values), np.int64)
    if len(keys) == 0:
        return found
    for each in range(len(values)):
        if values[each] >= 0:
            key = (cap << 32) | values[each]
            place = np.searchsorted(keys, key)
            if place < len(keys) and keys[place] == key:
                found[each] = counts[place]
    return found
