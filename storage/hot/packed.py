"""How a state lies in a hot store: taken apart and put together by compiled code.

A packed state is a head (``HEAD``), the vector in half precision, the counters as varints, the recent items from the
latest back (ordinal and roles, minutes between neighbours), the interests, and at its end the stated attributes, which
nothing here looks into.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

from storage.records.subjects import COUNTERS, MOST_INTERESTS, MOST_RECENT, USER_DIMENSIONS

FORMAT = 2
HEAD = 26
"""Format u1, login level + 1 u1, updated_at i8 (µs), first_at u4 (s), events u4, session u4, half-life f4 (s)."""
DIMENSIONS, COUNTS, RECENT, KNOWN = USER_DIMENSIONS, len(COUNTERS), MOST_RECENT, MOST_INTERESTS
VECTOR_END = HEAD + 2 * DIMENSIONS
LARGEST = VECTOR_END + 5 * COUNTS + 5 + 10 * RECENT + 1 + 13 * KNOWN
LEVEL, UPDATED, FIRST, EVENTS, SESSION, SEEN, LIKED, TAIL = range(8)
ITEM, DONE, MINUTE = range(3)
TOKEN, SINCE, EVIDENCE, SOURCE = range(4)
SCORE, STATED = range(2)
DAY_S = 86_400

F = TypeVar("F", bound=Callable[..., Any])


def part(function: F) -> F:
    """Make a function a part of what is compiled."""
    compiled: Any = numba.njit(error_model="numpy")
    return compiled(function)  # type: ignore[no-any-return]  # the same function, to a caller


@part
def blank() -> Any:
    """Return a state of nobody: head, vector with the half-life behind it, counts, recent, interests."""
    return (
        np.zeros(8, np.int64),
        np.zeros(DIMENSIONS + 1),
        np.zeros(COUNTS, np.float32),
        np.zeros((3, RECENT + 1), np.int64),
        np.zeros((4, KNOWN), np.int64),
        np.zeros((2, KNOWN)),
    )


@part
def half(value: Any) -> Any:
    """Return the bits of the nearest half-precision number, ties to even; beyond its range, the largest one."""
    bits = np.int64(np.float32(value).view(np.uint32))
    size = bits & 0x7FFF_FFFF
    if size >= 0x477F_E000:
        size = np.int64(0x7BFF)
    elif size >= 0x3880_0000:
        size = (size - 0x3800_0000 + 0xFFF + ((size >> 13) & 1)) >> 13
    else:
        size = np.int64(np.rint(abs(value) * 2.0**24))
    return size | (bits >> 16) & 0x8000 if size else 0


@part
def _get(data: Any, at: Any, width: Any) -> Any:
    number = np.int64(0)
    for place in range(width):
        number |= np.int64(data[at + place]) << (8 * place)
    return number


@part
def put(data: Any, at: Any, width: Any, number: Any) -> Any:
    """Write a whole number, little-endian; return the place after it."""
    for place in range(width):
        data[at + place] = (number >> (8 * place)) & 0xFF
    return at + width


@part
def _get_varint(data: Any, at: Any) -> Any:
    number, shift = np.int64(0), 0
    while data[at] & 0x80:
        number |= np.int64(data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | np.int64(data[at]) << shift, at + 1


@part
def _put_varint(data: Any, at: Any, number: Any) -> Any:
    while number >= 0x80:
        data[at] = (number & 0x7F) | 0x80
        number >>= 7
        at += 1
    data[at] = number
    return at + 1


@part
def load(data: Any, at: Any, state: Any, halves: Any, bits: Any) -> Any:
    """Take a packed state apart, from ``at`` on."""
    head, vector, counts, recent, rows, scores = state
    start = at
    head[LEVEL], head[UPDATED], head[FIRST] = data[at + 1], _get(data, at + 2, 8), _get(data, at + 10, 4)
    head[EVENTS], head[SESSION] = _get(data, at + 14, 4), _get(data, at + 18, 4)
    bits[0] = _get(data, at + 22, 4)
    vector[DIMENSIONS] = bits.view(np.float32)[0]
    for place in range(DIMENSIONS):
        vector[place] = halves[_get(data, at + HEAD + 2 * place, 2)]
    at += VECTOR_END
    for place in range(COUNTS):
        number, at = _get_varint(data, at)
        if number & 1:
            bits[0] = _get(data, at, 4)
            counts[place] = bits.view(np.float32)[0]
            at += 4
        else:
            counts[place] = number >> 1
    head[SEEN] = data[at]
    minute = _get(data, at + 1, 4)
    at += 5
    for place in range(head[SEEN] - 1, -1, -1):
        number, at = _get_varint(data, at)
        gap, at = _get_varint(data, at)
        minute -= gap
        recent[ITEM, place], recent[DONE, place], recent[MINUTE, place] = number >> 4, number & 15, minute
    head[LIKED] = data[at]
    at += 1
    for place in range(head[LIKED]):
        rows[TOKEN, place], scores[SCORE, place] = _get(data, at, 4), halves[_get(data, at + 4, 2)]
        rows[EVIDENCE, place], rows[SOURCE, place] = data[at + 6] & 63, data[at + 6] >> 6
        scores[STATED, place] = 0.0
        if rows[SOURCE, place]:
            rows[SINCE, place], scores[STATED, place] = _get(data, at + 7, 4), halves[_get(data, at + 11, 2)]
            at += 13
        else:
            rows[SINCE, place] = _get(data, at + 7, 2) * DAY_S
            at += 9
    head[TAIL] = at - start


@part
def save(data: Any, at: Any, state: Any, bits: Any) -> Any:
    """Put a state together, from ``at`` on; return where it ends, before the attributes."""
    head, vector, counts, recent, rows, scores = state
    data[at], data[at + 1] = FORMAT, head[LEVEL]
    at = put(data, put(data, at + 2, 8, head[UPDATED]), 4, head[FIRST])
    at = put(data, put(data, at, 4, min(head[EVENTS], 0xFFFF_FFFF)), 4, head[SESSION])
    bits.view(np.float32)[0] = vector[DIMENSIONS]
    at = put(data, at, 4, np.int64(bits[0]))
    for place in range(DIMENSIONS):
        at = put(data, at, 2, half(vector[place]))
    for place in range(COUNTS):
        whole = np.int64(min(max(counts[place], np.float32(0)), np.float32(1 << 24)))
        if np.float32(whole) == counts[place]:
            at = _put_varint(data, at, whole << 1)
        else:
            bits.view(np.float32)[0] = counts[place]
            at = put(data, put(data, at, 1, 1), 4, np.int64(bits[0]))
    last = head[SEEN] - 1
    data[at] = head[SEEN]
    at = put(data, at + 1, 4, recent[MINUTE, last] if last >= 0 else 0)
    for place in range(last, -1, -1):
        at = _put_varint(data, at, recent[ITEM, place] << 4 | recent[DONE, place])
        at = _put_varint(data, at, recent[MINUTE, min(place + 1, last)] - recent[MINUTE, place])
    data[at] = head[LIKED]
    at += 1
    for place in range(head[LIKED]):
        at = put(data, put(data, at, 4, rows[TOKEN, place]), 2, half(scores[SCORE, place]))
        data[at] = rows[EVIDENCE, place] | rows[SOURCE, place] << 6
        if rows[SOURCE, place]:
            at = put(data, put(data, at + 1, 4, rows[SINCE, place]), 2, half(scores[STATED, place]))
        else:
            at = put(data, at + 1, 2, min(rows[SINCE, place] // DAY_S, 0xFFFF))
    return at
