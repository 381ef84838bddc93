"""What is known of a person, as of the moment of a decision."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.interests import decayed, direction
from storage.records.clock import SECOND
from storage.records.decisions import VECTOR_DTYPE
from storage.records.subjects import INTEREST_DTYPE, SOURCES, STATED_WEIGHT, USER_DIMENSIONS, UserState

PARTS: Mapping[str, Any] = MappingProxyType(
    {"counts": b"", "recent": b"", "interests": b"", "first_at": 0, "attributes": {}}
)
"""The parts of a state that are kept only where they are read, and what stands for each elsewhere."""

HALF_SURE = 3.0
"""How many events make half of certainty."""
PRIOR_EVIDENCE = {"implicit": 0.0, "stated": 27.0, "quiz": 7.0}
"""How many events a source is worth by itself: what was said is 0.9 sure, an answer of the quiz 0.7."""

Rows = NDArray[np.void]
Floats = NDArray[np.float64]


def settled(user: UserState | None, now: int, *, reads: frozenset[str] = frozenset()) -> UserState | None:
    """Return the state faded to ``now``, with the parts named in ``reads`` only: what a decision sees and its record
    keeps. What was stated does not fade. Settling twice changes nothing; a clock that went back fades nothing."""
    if user is None:
        return None
    changed: dict[str, Any] = {part: nothing for part, nothing in PARTS.items() if part not in reads}
    if user.updated_at < now:
        rows = np.frombuffer(user.interests, dtype=INTEREST_DTYPE)
        vector = decayed(np.frombuffer(user.vector, dtype=VECTOR_DTYPE), user.updated_at, now, user.half_life_s)
        stated = stated_vector(rows)
        if stated is not None:
            vector += stated - decayed(stated, user.updated_at, now, user.half_life_s)
        changed["vector"] = vector.tobytes()
        if "interests" in reads and len(rows):
            rows = rows.copy()
            rows["score"] = decayed(rows["score"], user.updated_at, now, user.half_life_s)
            changed["interests"] = rows.tobytes()
    if user.updated_at != now:
        changed["updated_at"] = now
    return replace(user, **changed) if changed else user


def stated_vector(rows: Rows) -> NDArray[np.float32] | None:
    """Return what stated interests add to the vector; None where nothing is stated."""
    said = rows[rows["source"] != 0]
    if not len(said):
        return None
    total = np.zeros(USER_DIMENSIONS, dtype=np.float32)
    for number, value in zip(said["token"].tolist(), said["stated"].tolist(), strict=True):
        dimension, sign = direction(number)
        total[dimension] += np.float32(sign * STATED_WEIGHT * value)
    return total


def preferences(rows: Rows) -> Floats:
    """Return each interest as one number, −1…1: what was stated, and what was done since, s / (1 + |s|)."""
    score = rows["score"].astype(np.float64)
    stated = np.where(rows["source"] != 0, rows["stated"], 0.0)
    total: Floats = np.clip(stated + score / (1.0 + np.abs(score)), -1.0, 1.0)
    return total


def stated_only(user: UserState | None) -> UserState | None:
    """Return what a person stated and nothing of what was learned: what is left without consent to profiling."""
    if user is None:
        return None
    rows = np.frombuffer(user.interests, dtype=INTEREST_DTYPE)
    rows = rows[rows["source"] != 0].copy()
    rows["score"], rows["evidence"] = 0.0, 0
    vector = stated_vector(rows)
    attributes = {name: value for name, value in user.attributes.items() if name != "login_level"}
    if vector is None and not attributes:
        return None
    return UserState(
        vector=bytes(4 * USER_DIMENSIONS) if vector is None else vector.tobytes(),
        updated_at=user.updated_at,
        events=0,
        interests=rows.tobytes(),
        attributes=attributes,
    )


class Interest(NamedTuple):
    """One interest as a person reads it. ``name`` is None where the catalogue has no such attribute any more;
    ``score`` −1…1; ``confidence`` 0…1; ``since`` in microseconds."""

    token: int
    name: str | None
    score: float
    confidence: float
    source: str
    evidence: int
    since: int


def interests(user: UserState, names: Mapping[int, str]) -> list[Interest]:
    """Return a person's interests, strongest first; confidence is n / (n + 3) for n events, a statement counting as
    27 and an answer of the quiz as 7."""
    rows = np.frombuffer(user.interests, dtype=INTEREST_DTYPE)
    found = []
    for row, score in zip(rows.tolist(), preferences(rows).tolist(), strict=True):
        number, _, _, at, evidence, source = row
        known = evidence + PRIOR_EVIDENCE[SOURCES[source]]
        sure = known / (known + HALF_SURE)
        found.append(Interest(number, names.get(number), score, sure, SOURCES[source], evidence, at * SECOND))
    return found
