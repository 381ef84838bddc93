"""The compiled steps on packed states: learn, state, merge, view; every hot store runs these and no others.

Every signal is rounded to what is stored, so that it does not matter how signals are batched.
"""

from typing import Any

import numpy as np
from numba import types

from storage.compiled import compiled
from storage.hot.packed import (
    COUNTS,
    DIMENSIONS,
    DONE,
    EVENTS,
    EVIDENCE,
    FIRST,
    ITEM,
    KNOWN,
    LARGEST,
    LEVEL,
    LIKED,
    MINUTE,
    RECENT,
    SCORE,
    SEEN,
    SESSION,
    SINCE,
    SOURCE,
    STATED,
    TAIL,
    TOKEN,
    UPDATED,
    blank,
    load,
    put,
    save,
)
from storage.hot.steps import (
    MINUTE_US,
    MOST_EVIDENCE,
    SECOND_US,
    begin,
    believe,
    fade,
    length,
    mix,
    rounded,
    row_of,
    sign,
    touch,
    value,
    visit,
)
from storage.records.subjects import HALF_LIFE_S, STATED_WEIGHT

PARTS = "1a102497eaa35b2f"
"""BLAKE2b-64 over the sources of ``packed`` and ``steps``: machine code is kept by the date of this file alone, so
whoever changes those changes this line (a test says to what)."""


def _learn(  # noqa: PLR0917  # flat arrays: the compiled loop takes no objects
    data: Any,
    starts: Any,
    groups: Any,
    times: Any,
    numbers: Any,
    marks: Any,
    vectors: Any,
    tokens: Any,
    shares: Any,
    token_starts: Any,
    counters: Any,
    amounts: Any,
    counter_starts: Any,
    halves: Any,
) -> Any:
    """Apply each group's signals to its packed state, empty for nobody's. ``numbers`` has weight and half-life,
    ``marks`` session, level + 1, item + 1 and role bits. Return the new states and where each begins."""
    people = len(starts) - 1
    made = np.zeros(len(data) + people * LARGEST, np.uint8)
    ends = np.zeros(people + 1, np.int64)
    bits = np.zeros(1, np.uint32)
    for person in range(people):
        state = blank()
        head, vector, counts = state[0], state[1], state[2]
        known = starts[person + 1] > starts[person]
        if known:
            load(data, starts[person], state, halves, bits)
        tail = starts[person] + head[TAIL]
        for place in range(groups[person], groups[person + 1]):
            at, weight, half_life_s = times[place], numbers[place, 0], numbers[place, 1]
            if not known:
                begin(state, at, half_life_s)
            visit(state, known, at, marks[place, 0], marks[place, 1])
            fade(state, at)
            head[EVENTS] += 1
            head[FIRST] = min(head[FIRST], at // SECOND_US)
            known = True
            if marks[place, 2] and marks[place, 3]:
                touch(state, marks[place, 2] - 1, marks[place, 3], at // MINUTE_US)
            for add in range(counter_starts[place], counter_starts[place + 1]):
                counts[counters[add]] += amounts[add]
            if weight != 0.0:
                weight *= 2.0 ** (-(head[UPDATED] - at) / (half_life_s * SECOND_US))
                mix(state, abs(weight) * length(vectors[place]), half_life_s)
                for each in range(DIMENSIONS):
                    vector[each] += weight * np.float64(vectors[place, each])
                first, last = token_starts[place], token_starts[place + 1]
                believe(state, at, weight, tokens[first:last], shares[first:last])
            rounded(state, halves)
        end = save(made, ends[person], state, bits)
        rest = starts[person + 1] - tail
        if rest > 0:
            for each in range(rest):
                made[end + each] = data[tail + each]
        ends[person + 1] = end + max(rest, 0)
    return made[: ends[people]], ends


def _restate(  # noqa: PLR0917  # flat arrays: the compiled loop takes no objects
    data: Any, at: Any, tokens: Any, stated: Any, since: Any, sources: Any, halves: Any
) -> Any:
    """Return a packed state, without attributes, in which exactly these interests are stated. Implicit evidence that
    is older than a new statement is dropped, from the vector too."""
    state, bits = blank(), np.zeros(1, np.uint32)
    head, vector, _, _, rows, scores = state
    if len(data):
        load(data, 0, state, halves, bits)
    else:
        begin(state, at, HALF_LIFE_S)
    left = 0
    for row in range(head[LIKED]):
        named = False
        for token in tokens:
            named |= token == rows[TOKEN, row]
        if rows[SOURCE, row] and not named:
            rows[SOURCE, row], scores[STATED, row] = 0, 0.0
        if named or rows[EVIDENCE, row]:
            for column in range(4):
                rows[column, left] = rows[column, row]
            scores[SCORE, left], scores[STATED, left] = scores[SCORE, row], scores[STATED, row]
            left += 1
    head[LIKED] = left
    kept = np.int64(0)
    for place in range(min(len(tokens), KNOWN)):
        token = np.int64(tokens[place])
        row = row_of(state, token, since[place], np.inf, kept)
        if row < 0:
            continue
        kept |= np.int64(1) << row
        if rows[SOURCE, row] == 0 or rows[SINCE, row] != since[place]:
            vector[(token >> 1) % DIMENSIONS] -= sign(token) * scores[SCORE, row]
            scores[SCORE, row], rows[EVIDENCE, row], rows[SINCE, row] = 0.0, 0, since[place]
        rows[SOURCE, row], scores[STATED, row] = sources[place], stated[place]
    rounded(state, halves)
    made = np.zeros(LARGEST, np.uint8)
    return made[: save(made, 0, state, bits)]


def _merge(one: Any, other: Any, halves: Any) -> Any:
    """Return the packed state, without attributes, of an account (``other``) that an anonymous visitor (``one``) turned
    out to be. What the account stated holds against what was done before."""
    left, right, bits = blank(), blank(), np.zeros(1, np.uint32)
    load(one, 0, left, halves, bits)
    load(other, 0, right, halves, bits)
    head, vector, counts, _, rows, scores = right
    if left[0][UPDATED] > head[UPDATED]:
        head[SESSION] = left[0][SESSION]
        head[LEVEL] = max(head[LEVEL], left[0][LEVEL])
    before = left[0][UPDATED]
    until = max(before, head[UPDATED])
    fade(left, until)
    fade(right, until)
    head[FIRST], head[EVENTS] = min(head[FIRST], left[0][FIRST]), head[EVENTS] + left[0][EVENTS]
    mix(right, length(left[1]), left[1][DIMENSIONS])
    for place in range(DIMENSIONS):
        vector[place] += left[1][place]
    for place in range(COUNTS):
        counts[place] += left[2][place]
    for place in range(left[0][SEEN]):
        touch(right, left[3][ITEM, place], left[3][DONE, place], left[3][MINUTE, place])
    for place in range(left[0][LIKED]):
        token, score, source = left[4][TOKEN, place], left[5][SCORE, place], left[4][SOURCE, place]
        row = row_of(right, token, left[4][SINCE, place], np.inf if source else abs(score), np.int64(0))
        if row < 0:
            continue
        if rows[SOURCE, row] and before // SECOND_US < rows[SINCE, row]:
            vector[(token >> 1) % DIMENSIONS] -= sign(token) * score
            continue
        scores[SCORE, row] += score
        rows[EVIDENCE, row] = min(rows[EVIDENCE, row] + left[4][EVIDENCE, place], MOST_EVIDENCE)
        if source and not rows[SOURCE, row]:
            rows[SOURCE, row], rows[SINCE, row] = source, left[4][SINCE, place]
            scores[STATED, row] = left[5][STATED, place]
        elif not rows[SOURCE, row]:
            rows[SINCE, row] = min(rows[SINCE, row], left[4][SINCE, place])
    rounded(right, halves)
    made = np.zeros(LARGEST, np.uint8)
    return made[: save(made, 0, right, bits)]


def _view(data: Any, halves: Any) -> Any:
    """Return a packed state as a reader sees it, one after the other: vector, counts, rows of ``RECENT_DTYPE``, rows of
    ``INTEREST_DTYPE``; then numbers: updated, first, events, level + 1, recent, interests, tail; and the half-life."""
    state, bits = blank(), np.zeros(1, np.uint32)
    load(data, 0, state, halves, bits)
    head, vector, counts, recent, rows, scores = state
    for row in range(head[LIKED]):
        token = rows[TOKEN, row]
        vector[(token >> 1) % DIMENSIONS] += sign(token) * STATED_WEIGHT * scores[STATED, row]
    made = np.empty(4 * DIMENSIONS + 4 * COUNTS + 9 * RECENT + 18 * KNOWN, np.uint8)
    made[: 4 * DIMENSIONS].view(np.float32)[:] = vector[:DIMENSIONS]
    at = 4 * DIMENSIONS
    made[at : at + 4 * COUNTS].view(np.float32)[:] = counts
    at += 4 * COUNTS
    for place in range(head[SEEN]):
        at = put(made, at, 4, recent[ITEM, place])
        at = put(made, put(made, at, 1, recent[DONE, place]), 4, recent[MINUTE, place] * 60)
    sizes = np.empty(KNOWN)
    for row in range(head[LIKED]):
        sizes[row] = abs(value(scores[SCORE, row], scores[STATED, row]))
    for _ in range(head[LIKED]):
        best = 0
        for row in range(1, head[LIKED]):
            if sizes[row] > sizes[best] or (sizes[row] == sizes[best] and rows[TOKEN, row] < rows[TOKEN, best]):
                best = row
        sizes[best] = -1.0
        at = put(made, at, 4, rows[TOKEN, best])
        bits.view(np.float32)[0] = scores[SCORE, best]
        at = put(made, at, 4, np.int64(bits[0]))
        bits.view(np.float32)[0] = scores[STATED, best] if rows[SOURCE, best] else np.nan
        at = put(made, put(made, at, 4, np.int64(bits[0])), 4, rows[SINCE, best])
        at = put(made, put(made, at, 1, rows[EVIDENCE, best]), 1, rows[SOURCE, best])
    numbers = np.array([head[UPDATED], head[FIRST], head[EVENTS], head[LEVEL], head[SEEN], head[LIKED], head[TAIL]])
    return made[:at], numbers, vector[DIMENSIONS]


def _array(kind: Any, dimensions: int = 1) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


_bytes, _whole, _floats = _array(types.uint8), _array(types.int64), _array(types.float64)
_tokens, _halves = _array(types.uint32), _array(types.float32)


learn = compiled(
    (
        _bytes,
        _whole,
        _whole,
        _whole,
        _array(types.float64, 2),
        _array(types.int64, 2),
        _array(types.float32, 2),
        _tokens,
        _halves,
        _whole,
        _tokens,
        _halves,
        _whole,
        _halves,
    )
)(_learn)
restate = compiled((_bytes, types.int64, _tokens, _floats, _whole, _whole, _halves))(_restate)
merge = compiled((_bytes, _bytes, _halves))(_merge)
view = compiled((_bytes, _halves))(_view)
