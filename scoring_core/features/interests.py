"""Interests as vectors: items hashed into a small space, and how what a person did fades there."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from storage.records.clock import SECOND
from storage.records.items import Item
from storage.records.subjects import HALF_LIFE_S, USER_DIMENSIONS

MOST_TOKENS = 16

Vector = NDArray[np.float32]


@lru_cache(maxsize=1 << 17)
def token(name: str) -> int:
    """Return the number by which a state knows an attribute value (``colour=red``) or a tag (``tag=new``).

    >>> token("tag=new") == token("tag=new") != token("tag=old")
    True
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()[:4], "little")


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
    ((64,), 1.0)
    """
    total, length = _total(item)
    return (total / length if length > 0 else total).astype(np.float32)


def item_tokens(item: Item) -> list[tuple[str, float]]:
    """Return the tags and the text attributes by which interests in an item are told, at most ``MOST_TOKENS``, with
    what each contributes to the item's vector. Ids and numbers are part of the vector alone.

    >>> item_tokens(Item(item_id="a", attributes={"colour": "red", "price": 0}, tags=("new",)))
    [('tag=new', 0.5773502691896258), ('colour=red', 0.5773502691896258)]
    """
    _, length = _total(item)
    named = [f"tag={tag}" for tag in item.tags]
    named += [f"{name}={value}" for name, value in item.attributes.items() if isinstance(value, str | bool)]
    if length == 0.0:  # hashed signs cancel: the vector tells nothing, so no token may claim a part of it
        return []
    return [(name, 1.0 / length) for name in list(dict.fromkeys(named))[:MOST_TOKENS]]


def direction(number: int) -> tuple[int, float]:
    """Return the dimension and the sign of a token in the space of interests."""
    return (number >> 1) % USER_DIMENSIONS, 1.0 if number & 1 else -1.0


def _total(item: Item) -> tuple[NDArray[np.float64], float]:
    total = np.zeros(USER_DIMENSIONS, dtype=np.float64)
    for name, weight in _tokens(item):
        dimension, sign = direction(token(name))
        total[dimension] += sign * weight
    return total, float(np.sqrt(np.sum(total * total)))


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
