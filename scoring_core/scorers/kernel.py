"""The compiled loop that scores a whole forest: no branch depends on the data, so every table costs the same.

Every leaf of a tree has one bit. A node whose test fails strikes out the leaves of its left side; the leftmost leaf
that is left at the end is the one that the row falls into (QuickScorer: Lucchese et al., SIGIR 2015). Rows are the
innermost loop, so the compiler turns it into vector instructions.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it ships no types
from numba import types
from numba.extending import intrinsic

from storage.compiled import compiled

BLOCK = 104
"""Rows scored together. No power of two: columns so far apart would push each other out of the processor's cache."""
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
ZERO = np.float64(np.float32(1e-35))
"""LightGBM reads values no larger than this as zero."""


@intrinsic
def _lowest_bit(_context: Any, _bits: Any) -> Any:
    """Return the place of the lowest bit that is set."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), emit


lowest_bit: Any = _lowest_bit  # in compiled code it is called without its context


def _forest(  # noqa: C901, PLR0917  # one loop nest over flat arrays: the compiler fuses no calls and takes no objects
    table: Any,
    feature: Any,
    threshold: Any,
    keep: Any,
    node_start: Any,
    missing_right: Any,
    leaf: Any,
    leaf_start: Any,
    member_start: Any,
) -> Any:
    rows, columns = table.shape
    members = len(member_start) - 1
    sums = np.zeros((rows, members))
    means = np.zeros(rows)
    turned = np.empty((columns, BLOCK))
    left = np.empty(BLOCK, np.uint64)
    for first in range(0, rows, BLOCK):
        width = min(BLOCK, rows - first)
        for row in range(width):
            for column in range(columns):
                value = table[first + row, column]
                turned[column, row] = 0.0 if abs(value) <= ZERO else value
        for member in range(members):
            for tree in range(member_start[member], member_start[member + 1]):
                left[:] = ALL
                for node in range(node_start[tree], missing_right[tree]):
                    values = turned[feature[node]]
                    bound = threshold[node]
                    bits = keep[node]
                    for row in range(width):
                        left[row] &= bits if values[row] > bound else ALL
                for node in range(missing_right[tree], node_start[tree + 1]):
                    values = turned[feature[node]]
                    bound = threshold[node]
                    bits = keep[node]
                    for row in range(width):
                        left[row] &= ALL if values[row] <= bound else bits
                base = leaf_start[tree]
                for row in range(width):
                    sums[first + row, member] += leaf[base + lowest_bit(left[row])]
        for row in range(first, first + width):
            total = 0.0
            for member in range(members):
                total += sums[row, member]
            means[row] = total / members
    return means, sums


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_whole = _array(types.int64)
_RESULT = types.Tuple(  # type: ignore[no-untyped-call]  # numba types it not
    (types.float64[::1], types.float64[:, ::1])
)
_ARGUMENTS = (
    _array(types.float64, 2),
    _whole,
    _array(types.float64),
    _array(types.uint64),
    _whole,
    _whole,
    _array(types.float64),
    _whole,
    _whole,
)


forest = compiled(_RESULT(*_ARGUMENTS))(_forest)
