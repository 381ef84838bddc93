"""What is known of a person, as of the moment of a decision."""

import numpy as np

from scoring_core.features.interests import HALF_LIFE_S, decayed
from storage.records.decisions import VECTOR_DTYPE
from storage.records.subjects import UserState


def settled(user: UserState | None, now: int, *, half_life_s: float = HALF_LIFE_S) -> UserState | None:
    """Return the state faded to ``now``: what a scorer sees and the record keeps. Settling twice changes nothing."""
    if user is None or user.updated_at >= now:
        return user
    vector = decayed(np.frombuffer(user.vector, dtype=VECTOR_DTYPE), user.updated_at, now, half_life_s)
    return UserState(vector=vector.tobytes(), updated_at=now, events=user.events)
