"""Counting distinct people without keeping them: the k smallest hashes (k minimum values).

Bar-Yossef et al., "Counting distinct elements in a data stream" (RANDOM 2002); estimate (k − 1) / kth smallest,
relative standard error about 1/√(k − 2): 13 % at k = 64, exact below k.
"""

from collections.abc import Iterable

import numpy as np

KEPT = 64
_WIDTH = 8
_SPACE = 1 << 64


def pack(hashes: Iterable[int]) -> bytes:
    """Return the smallest distinct 64-bit hashes as bytes, sorted."""
    return b"".join(value.to_bytes(_WIDTH) for value in sorted(set(hashes))[:KEPT])


def unpack(sketch: bytes) -> set[int]:
    """Return the hashes of a sketch."""
    return {int.from_bytes(sketch[place : place + _WIDTH]) for place in range(0, len(sketch), _WIDTH)}


def merge(sketches: Iterable[bytes]) -> bytes:
    """Return the sketch of the union; order and repetition do not matter."""
    return np.unique(np.frombuffer(b"".join(sketches), dtype=">u8"))[:KEPT].astype(">u8").tobytes()


def distinct(sketch: bytes) -> int:
    """Return how many distinct values went in: exact below 64, an estimate above.

    >>> distinct(pack([5, 7, 5]))
    2
    """
    count = len(sketch) // _WIDTH
    return count if count < KEPT else round((KEPT - 1) * _SPACE / (int.from_bytes(sketch[-_WIDTH:]) + 1))
