"""The steps by which a state taken apart changes; the compiler puts them together in ``storage.hot.kernel``."""

from typing import Any

import numpy as np

from storage.hot.packed import (
    DAY_S,
    DIMENSIONS,
    DONE,
    EVIDENCE,
    FIRST,
    ITEM,
    KNOWN,
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
    TOKEN,
    UPDATED,
    half,
    part,
)
from storage.records.subjects import COUNTERS, ROLES, SESSION_GAP_S

SHOWN, SESSIONS = ROLES["shown"], COUNTERS.index("sessions")
MOST_EVIDENCE = 63
SECOND_US, MINUTE_US = 1_000_000, 60_000_000


@part
def fade(state: Any, until: Any) -> None:
    """Let vector and implicit scores fade until then."""
    head, vector, _, _, _, scores = state
    if until > head[UPDATED]:
        kept = 2.0 ** (-(until - head[UPDATED]) / (vector[DIMENSIONS] * SECOND_US))
        for place in range(DIMENSIONS):
            vector[place] *= kept
        for place in range(head[LIKED]):
            scores[SCORE, place] *= kept
        head[UPDATED] = until


@part
def length(vector: Any) -> Any:
    """Return the length of a vector without its half-life."""
    total = 0.0
    for place in range(DIMENSIONS):
        total += np.float64(vector[place]) ** 2
    return np.sqrt(total)


@part
def mix(state: Any, size: Any, half_life_s: Any) -> None:
    """Let the half-life be the mean of those of what the vector is made of, by size."""
    vector = state[1]
    if size > 0.0:
        old = length(vector)
        vector[DIMENSIONS] = np.float32((vector[DIMENSIONS] * old + half_life_s * size) / (old + size))


@part
def row_of(state: Any, token: Any, since: Any, strength: Any, kept: Any) -> Any:
    """Return the row of a token: its own, a new one, or that of the weakest one that nobody stated, that is weaker
    than ``strength`` and not one of ``kept`` (bits); -1 for none."""
    head, _, _, _, rows, scores = state
    chosen, least = -1, strength
    for place in range(head[LIKED]):
        if rows[TOKEN, place] == token:
            return place
        size = abs(scores[SCORE, place])
        if size < least and rows[SOURCE, place] == 0 and not (kept >> place) & 1:
            chosen, least = place, size
    if head[LIKED] < KNOWN:
        chosen = head[LIKED]
        head[LIKED] += 1
    if chosen >= 0:
        rows[TOKEN, chosen], rows[SINCE, chosen] = token, since
        rows[EVIDENCE, chosen], rows[SOURCE, chosen] = 0, 0
        scores[SCORE, chosen], scores[STATED, chosen] = 0.0, 0.0
    return chosen


@part
def _move(recent: Any, target: Any, source: Any) -> None:
    for column in range(3):
        recent[column, target] = recent[column, source]


@part
def _leave(recent: Any, place: Any, count: Any) -> None:
    for after in range(place, count - 1):
        _move(recent, after, after + 1)


@part
def touch(state: Any, item: Any, done: Any, minute: Any) -> None:
    """Keep an item among the recent ones, in order of time; what was only shown gives way first, then the oldest."""
    head, recent = state[0], state[3]
    count = head[SEEN]
    for place in range(count):
        if recent[ITEM, place] == item:
            done |= recent[DONE, place]
            minute = max(minute, recent[MINUTE, place])
            _leave(recent, place, count)
            count -= 1
            break
    place = count
    while place > 0 and recent[MINUTE, place - 1] > minute:
        _move(recent, place, place - 1)
        place -= 1
    recent[ITEM, place], recent[DONE, place], recent[MINUTE, place] = item, done, minute
    count += 1
    if count > RECENT:
        leaving = 0
        for place in range(count):
            if recent[DONE, place] == SHOWN:
                leaving = place
                break
        _leave(recent, leaving, count)
        count -= 1
    head[SEEN] = count


@part
def sign(token: Any) -> Any:
    """Return the sign with which a token is hashed (``scoring_core.features.interests.direction``)."""
    return 1.0 if token & 1 else -1.0


@part
def rounded(state: Any, halves: Any) -> None:
    """Round to what is stored."""
    vector, scores = state[1], state[5]
    for place in range(DIMENSIONS):
        vector[place] = halves[half(vector[place])]
    for place in range(state[0][LIKED]):
        scores[SCORE, place] = halves[half(scores[SCORE, place])]


@part
def begin(state: Any, at: Any, half_life_s: Any) -> None:
    """Let a person be first seen."""
    state[0][UPDATED], state[0][FIRST] = at, at // SECOND_US
    state[1][DIMENSIONS] = np.float32(half_life_s)


@part
def visit(state: Any, known: Any, at: Any, session: Any, level: Any) -> None:
    """Count a session where one begins: another key, or a gap; what comes late begins none."""
    head, counts = state[0], state[2]
    if known and at < head[UPDATED]:
        return
    other = session != 0 and head[SESSION] != 0 and session != head[SESSION]
    if not known or other or at - head[UPDATED] > SESSION_GAP_S * SECOND_US:
        counts[SESSIONS] += np.float32(1)
    if session != 0:
        head[SESSION] = session
    if level != 0:
        head[LEVEL] = level


@part
def believe(state: Any, at: Any, weight: Any, tokens: Any, shares: Any) -> None:
    """Add a signal's evidence to its tokens; take out of the vector what a statement made void."""
    rows, vector, scores = state[4], state[1], state[5]
    kept = np.int64(0)
    for place in range(len(tokens)):
        token = np.int64(tokens[place])
        row = row_of(state, token, at // SECOND_US // DAY_S * DAY_S, np.inf, kept)
        if row < 0:
            continue
        kept |= np.int64(1) << row
        if rows[SOURCE, row] and at // SECOND_US < rows[SINCE, row]:
            vector[(token >> 1) % DIMENSIONS] -= sign(token) * weight * shares[place]
            continue
        scores[SCORE, row] += weight * shares[place]
        rows[EVIDENCE, row] = min(rows[EVIDENCE, row] + 1, MOST_EVIDENCE)


@part
def value(score: Any, stated: Any) -> Any:
    """Return an interest as one number: what was stated, and what was done since, squashed to -1…1."""
    return stated + score / (1.0 + abs(score))
