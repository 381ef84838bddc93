"""Interests as vectors: items hashed into a small space, and how what a person did fades there."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from storage.records.clock import SECOND
from storage.records.events import EventType
from storage.records.items import Item
from storage.records.subjects import USER_DIMENSIONS

HALF_LIFE_S = EventType().half_life_s

Vector = NDArray[np.float32]


def item_vector(item: Item) -> Vector:
    """Return an item's place in the space of interests, of length 1.

    Signed feature hashing: each attribute adds its weight, with a hashed sign, to one hashed dimension. Strings and
    booleans weigh 1 by name and value, numbers x / (1 + |x|) by name; the id and each tag weigh 1.

    References
    ----------
    Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.

    Examples
    --------
    >>> vector = item_vector(Item(item_id="a", attributes={"colour": "red"}))
    >>> vector.shape, round(float(np.linalg.norm(vector)), 6)
    ((32,), 1.0)
    """
    total = np.zeros(USER_DIMENSIONS, dtype=np.float64)
    for token, weight in _tokens(item):
        hashed = int.from_bytes(blake2b(token.encode(), digest_size=8).digest(), "little")
        total[(hashed >> 1) % USER_DIMENSIONS] += weight if hashed & 1 else -weight
    length = float(np.sqrt(np.sum(total * total)))
    return (total / length if length > 0 else total).astype(np.float32)


def decayed(vector: Vector, updated_at: int, now: int, half_life_s: float = HALF_LIFE_S) -> Vector:
    """Return ``vector`` faded from ``updated_at`` to ``now``: v · 2^(−Δt / h); a clock that went back fades nothing.

    >>> decayed(np.ones(1, dtype=np.float32), 0, 2 * SECOND, half_life_s=1.0).tolist()
    [0.25]
    """
    elapsed = now - updated_at
    if elapsed <= 0:
        return vector
    return vector * np.float32(2.0 ** (-elapsed / (half_life_s * SECOND)))


def _tokens(item: Item) -> Iterator[tuple[str, float]]:
    yield f"id={item.item_id}", 1.0
    for tag in item.tags:
        yield f"tag={tag}", 1.0
    for name, value in item.attributes.items():
        if isinstance(value, str | bool):
            yield f"{name}={value}", 1.0
        elif value != 0:
            yield name, value / (1.0 + abs(value))
