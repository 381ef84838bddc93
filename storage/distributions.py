"""How values are distributed, kept without the rows, and merged without loss: a small histogram that fits itself.

A number's key is its bit pattern, turned so that keys are in the numbers' order (Herf, "Radix tricks", 2001); a text's
is a keyed hash. Where there are more than 1,024 distinct keys their low bits are dropped, as few as will do. What comes
out is a function of the values alone: it does not matter in which parts or order they came.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import blake2b
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
DistributionKind = Literal["number", "category"]

MOST = 1_024
FEWEST_NAMED = 20
"""A text that came less often is not named: it could tell of one person."""
_TURN = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_LAST = np.float64(np.finfo(np.float64).max).view(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How often each key came. ``drop`` is how many low bits were dropped; ``names`` are the texts of frequent keys."""

    kind: DistributionKind
    keys: Whole
    counts: Whole
    drop: int = 0
    missing: int = 0
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many values were counted, missing ones too."""
        return int(self.counts.sum()) + self.missing

    def coarse(self, drop: int) -> "Distribution":
        """Return the same with at least so many low bits dropped, and as many more as it takes."""
        more = max(0, drop - self.drop)
        while len(np.unique(self.keys >> more)) > MOST:
            more += 1
        if not more:
            return self
        keys, counts = _summed(self.keys >> more, self.counts)
        frequent: dict[int, str] = {}
        for key in sorted(self.names, key=self._count):
            frequent[key >> more] = self.names[key]
        return Distribution(
            kind=self.kind, keys=keys, counts=counts, drop=self.drop + more, missing=self.missing, names=frequent
        )

    def _count(self, key: int) -> int:
        return int(self.counts[np.searchsorted(self.keys, key)])

    def values(self) -> Floats:
        """Return the middle of each key's range of numbers; the number itself where no bit was dropped."""
        low = self.keys << self.drop
        if not self.drop:
            return _number(low)
        high = low + np.int64((1 << self.drop) - 1)
        return _number(np.maximum(low, -_LAST - 1)) / 2.0 + _number(np.minimum(high, _LAST)) / 2.0


def of_numbers(values: NDArray[Any]) -> Distribution:
    """Return the distribution of numbers; NaN and infinities are missing."""
    there = np.asarray(values, dtype=np.float64)
    kept = there[np.isfinite(there)] + 0.0  # minus zero becomes zero
    bits = kept.view(np.int64)
    keys, counts = np.unique(np.where(bits < 0, bits ^ _TURN, bits), return_counts=True)
    whole = Distribution(kind="number", keys=keys, counts=counts.astype(np.int64), missing=len(there) - len(kept))
    return whole.coarse(0)


def of_levels(levels: Sequence[str | None], counts: Sequence[int] | Whole, *, secret: bytes) -> Distribution:
    """Return the distribution of texts, None being a missing one. Rare ones stay as keyed hashes alone."""
    missing, keyed, names = 0, [], {}
    for level, count in zip(levels, (int(count) for count in counts), strict=True):
        if level is None:
            missing += count
        elif count:
            key = int.from_bytes(blake2b(level.encode(), digest_size=8, key=secret[:64]).digest()) >> 1
            keyed.append((key, count))
            if count >= FEWEST_NAMED:
                names[key] = level
    table = np.array(keyed, dtype=np.int64).reshape(-1, 2)
    keys, summed = _summed(table[:, 0], table[:, 1])
    return Distribution(kind="category", keys=keys, counts=summed, missing=missing, names=names).coarse(0)


def merge(parts: Iterable[Distribution]) -> Distribution:
    """Return the distribution of all values together.

    Raises
    ------
    ValueError
        If there is none, or they are not of one kind.
    """
    return reduce(_merged, parts)


def align(first: Distribution, second: Distribution) -> tuple[Distribution, Distribution]:
    """Return both with equally many bits dropped."""
    drop = max(first.drop, second.drop)
    first, second = first.coarse(drop), second.coarse(drop)
    return (first, second) if first.drop == second.drop else align(first, second)


def _merged(first: Distribution, second: Distribution) -> Distribution:
    if first.kind != second.kind:
        raise ValueError("numbers and texts have no common distribution")
    first, second = align(first, second)
    keys, counts = _summed(np.concatenate([first.keys, second.keys]), np.concatenate([first.counts, second.counts]))
    return Distribution(
        kind=first.kind,
        keys=keys,
        counts=counts,
        drop=first.drop,
        missing=first.missing + second.missing,
        names={**second.names, **first.names},
    ).coarse(0)


def _summed(keys: Whole, counts: Whole) -> tuple[Whole, Whole]:
    distinct, places = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(places, weights=counts, minlength=len(distinct)).astype(np.int64)


def _number(keys: Whole) -> Floats:
    turned: Floats = np.where(keys < 0, keys ^ _TURN, keys).view(np.float64)
    return turned


def pack(found: Mapping[str, Distribution]) -> bytes:
    """Return distributions by name as bytes."""
    plain = {
        name: [
            each.kind,
            each.drop,
            each.missing,
            np.diff(each.keys, prepend=np.int64(0)).astype("<i8").tobytes(),
            each.counts.astype("<i8").tobytes(),
            {str(key): text for key, text in each.names.items()},
        ]
        for name, each in sorted(found.items())
    }
    return zlib.compress(msgspec.msgpack.encode(plain))


def unpack(packed: bytes) -> dict[str, Distribution]:
    """Return what was packed."""
    plain = msgspec.msgpack.decode(zlib.decompress(packed))
    return {
        name: Distribution(
            kind=kind,
            drop=drop,
            missing=missing,
            keys=np.cumsum(np.frombuffer(keys, dtype="<i8").astype(np.int64)),
            counts=np.frombuffer(counts, dtype="<i8").astype(np.int64),
            names={int(key): text for key, text in names.items()},
        )
        for name, (kind, drop, missing, keys, counts, names) in plain.items()
    }
