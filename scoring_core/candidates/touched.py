"""What a person touched, as weights of items: the start of every search for more like it."""

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats
from storage.records.clock import SECOND
from storage.records.subjects import RECENT_DTYPE, ROLES, UserState

HALF_LIFE_S = 14 * 86_400.0
"""How fast a touch fades: by half in two weeks."""
WEIGHTS = np.zeros(256)
"""What a touch weighs by the bits of its roles: interest 1, commitment 2, rejection −1, and their sum."""
for _bits in range(256):
    WEIGHTS[_bits] = (
        1.0 * bool(_bits & ROLES["interest"])
        + 2.0 * bool(_bits & ROLES["commitment"])
        - 1.0 * bool(_bits & ROLES["rejection"])
    )
WEIGHTS.flags.writeable = False


def touched(user: UserState, items: int, *, half_life_s: float = HALF_LIFE_S) -> tuple[NDArray[np.int64], Floats]:
    """Return the ordinals below ``items`` that the person touched in a role that weighs, the latest last, and what each
    weighs as of the state's own time: role · 2^(−age / half-life)."""
    recent = np.frombuffer(user.recent, dtype=RECENT_DTYPE)
    weights = WEIGHTS[recent["roles"]]
    known = (weights != 0.0) & (recent["item"] < items)
    recent, weights = recent[known], weights[known]
    age = np.maximum(user.updated_at // SECOND - recent["at"].astype(np.int64), 0)
    return recent["item"].astype(np.int64), weights * np.exp2(-age / half_life_s)
