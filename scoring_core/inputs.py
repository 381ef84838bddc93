"""One digest of everything that a decision was computed from."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats

DIGEST_BYTES = 16
SUM_BYTES = 8
SUM_SEED = 20_220_711

_encoder = msgspec.msgpack.Encoder(order="deterministic")


def input_digest(values: tuple[Any, ...], *, table: Floats | None) -> bytes:
    """Return BLAKE2b-128 over the values, then the 64-bit sum of the feature matrix (zeros where there was none)."""
    hashed = blake2b(_encoder.encode(values), digest_size=DIGEST_BYTES).digest()
    return hashed + (matrix_sum(table) if table is not None else 0).to_bytes(SUM_BYTES, "little")


def matrix_sum(matrix: Floats) -> int:
    """Return the multilinear hash of a matrix: the sum of its cells' bits times odd constants, modulo 2^64.

    One flipped bit always shows: an odd number times a power of two below 2^64 is never 0 modulo 2^64.

    References
    ----------
    Lemire, Kaser, Strongly universal string hashing is fast, The Computer Journal 57 (2014).
    """
    cells = matrix.reshape(-1).view(np.uint64)
    return int(np.dot(cells, _odd(1 << (len(cells) - 1).bit_length())[: len(cells)])) if len(cells) else 0


@lru_cache(maxsize=32)
def _odd(count: int) -> NDArray[np.uint64]:
    drawn: NDArray[np.uint64] = np.random.PCG64(SUM_SEED).random_raw(count)
    return drawn | np.uint64(1)
