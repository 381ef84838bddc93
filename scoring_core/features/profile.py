"""What is known of a person, as of the moment of a decision."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from scoring_core.features.interests import decayed
from storage.records.decisions import VECTOR_DTYPE
from storage.records.subjects import HALF_LIFE_S, UserState

PARTS: Mapping[str, Any] = MappingProxyType(
    {"counts": b"", "recent": b"", "interests": b"", "first_at": 0, "attributes": {}}
)
"""The parts of a state that are kept only where they are read, and what stands for each elsewhere."""


def settled(
    user: UserState | None, now: int, *, reads: frozenset[str] = frozenset(), half_life_s: float = HALF_LIFE_S
) -> UserState | None:
    """Return the state faded to ``now``, with the parts named in ``reads`` only: what a decision sees and its record
    keeps. Settling twice changes nothing."""
    if user is None:
        return None
    if user.updated_at < now:
        vector = decayed(np.frombuffer(user.vector, dtype=VECTOR_DTYPE), user.updated_at, now, half_life_s)
        user = replace(user, vector=vector.tobytes(), updated_at=now)
    unread = {part: nothing for part, nothing in PARTS.items() if part not in reads}
    return replace(user, **unread) if unread else user
