"""Candidates that the caller names."""

import numpy as np

from scoring_core.features.table import Ordinals
from scoring_core.live import Shelf


def named(candidates: tuple[str, ...], shelf: Shelf) -> Ordinals:
    """Return the ordinals of the caller's items, in the caller's order, each once; items that the catalogue does not
    know cannot be shown and are left out."""
    found = dict.fromkeys(map(shelf.ordinals.get, candidates))
    found.pop(None, None)
    return np.array(list(found), dtype=np.int64)
