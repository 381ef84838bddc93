"""How often a person was shown what caps count."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counter = tuple[int, int]
"""A cap's number and the number of the item, campaign or attribute value that it counts; both are below 2^32."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How often counters were raised: ``keys`` are ``cap << 32 | value`` as int64 in ascending order."""

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)

    def by_counter(self) -> dict[Counter, int]:
        """Return the counts by counter."""
        return {
            (key >> 32 & 0xFFFF_FFFF, key & 0xFFFF_FFFF): count
            for key, count in zip(self.keys.tolist(), self.counts.tolist(), strict=True)
        }

    @classmethod
    def of_counters(cls, counts: Mapping[Counter, int]) -> "Tally":
        """Return a tally of these counts."""
        keys = np.array([cap << 32 | value for cap, value in counts], dtype=np.uint64).view(np.int64)
        order = keys.argsort()
        return cls(keys[order], np.array(list(counts.values()), dtype=np.int64)[order])


NOTHING_COUNTED = Tally.of_counters({})
