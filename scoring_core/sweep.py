"""One pass over the rows of a decision: which the rules exclude, which they lift, and by how much."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.kernel import lowest_bit
from storage.compiled import compiled

Words = NDArray[np.uint64]

WORD = 64
ONE = np.uint64(1)

_u8, _f8, _i8 = numba.uint64, numba.float64, numba.int64
_BITS = numba.types.Array(_u8, 1, "C", readonly=True)
_ROWS = numba.types.Array(_i8, 1, "C", readonly=True)


@compiled((_u8[:, ::1], _ROWS, _BITS, _BITS, _f8[::1], _f8[::1], _u8[:, ::1], numba.boolean[::1], _u8[:, ::1]))
def sweep(  # noqa: PLR0917  # the compiler takes flat arrays, no objects
    about: Any,
    ordinals: Any,
    excluding: Any,
    boosting: Any,
    factors: Any,
    values: Any,
    lifting: Any,
    kept: Any,
    did: Any,
) -> None:
    """Lift ``values`` (rows) in place and mark what is ``kept``.

    Parameters
    ----------
    about : uint64 array, shape (items, words)
        Per item of the catalogue, the bits of the rules that are about it.
    ordinals : int64 array, shape (rows,)
    excluding, boosting : uint64 array, shape (words,)
        The bits of the rules that hold and exclude, and of those that boost.
    factors : float64 array, shape (words * 64,)
        What each rule multiplies by; one value that is negative is divided instead, so that a factor above one lifts.
    lifting : uint64 array, shape (rows, words), zeroed
        Written: the bits of the boosts that touched each row.
    kept : bool array, shape (rows,)
        Written: whether no rule excludes the row.
    did : uint64 array, shape (2, words), zeroed
        Written: the bits of the rules that excluded any row, and of those that lifted any.
    """
    for row in range(len(ordinals)):
        item = ordinals[row]
        stays = True
        for word in range(about.shape[1]):
            found = about[item, word] & excluding[word]
            if found:
                stays = False
                did[0, word] |= found
        kept[row] = stays
        if not stays:
            continue
        lift = 1.0
        for word in range(about.shape[1]):
            found = about[item, word] & boosting[word]
            lifting[row, word] = found
            did[1, word] |= found
            while found:
                lift *= factors[word * WORD + lowest_bit(found)]
                found &= found - ONE
        values[row] = values[row] / lift if values[row] < 0.0 else values[row] * lift
