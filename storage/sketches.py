"""Counting distinct people without keeping them: the k smallest hashes (k minimum values).

Bar-Yossef et al., "Counting distinct elements in a data stream" (RANDOM 2002); estimate (k − 1) / kth smallest,
relative standard error about 1/√(k − 2): 13 % at k = 64, exact below k.
"""

from collections.abc import Iterable

KEPT = 64
_SPACE = 1 << 64


def pack(hashes: Iterable[int]) -> bytes:
    """Return the smallest distinct 64-bit hashes as bytes, sorted."""
    return b"".join(value.to_bytes(8) for value in sorted(set(hashes))[:KEPT])


def unpack(sketch: bytes) -> set[int]:
    """Return the hashes of a sketch."""
    return {int.from_bytes(sketch[place : place + 8]) for place in range(0, len(sketch), 8)}


def merge(sketches: Iterable[bytes]) -> bytes:
    """Return the sketch of the union; order and repetition do not matter."""
    return pack(value for sketch in sketches for value in unpack(sketch))


def distinct(sketch: bytes) -> int:
    """Return how many distinct values went in: exact below 64, an estimate above.

    >>> distinct(pack([5, 7, 5]))
    2
    """
    hashes = unpack(sketch)
    return len(hashes) if len(hashes) < KEPT else round((KEPT - 1) * _SPACE / (max(hashes) + 1))
