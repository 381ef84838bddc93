"""Candidates from the whole catalogue."""

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals


def first(allowed: NDArray[np.bool_], quota: int) -> Ordinals:
    """Return the first ``quota`` items that are allowed, in the catalogue's order."""
    return np.flatnonzero(allowed)[:quota]
