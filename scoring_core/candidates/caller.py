"""Candidates that the caller names."""

import numpy as np

from scoring_core.features.table import Ordinals
from scoring_core.live import Shelf


def named(candidates: tuple[str, ...], shelf: Shelf) -> Ordinals:
    """Return the ordinals of the caller's items, in the caller's order, each once; items that the catalogue does not
    know cannot be shown and are left out."""
    if len(set(candidates)) != len(candidates):
        return _sifted(candidates, shelf)
    try:
        return np.fromiter(map(shelf.ordinals.__getitem__, candidates), np.int64, len(candidates))
    except KeyError:
        return _sifted(candidates, shelf)


def _sifted(candidates: tuple[str, ...], shelf: Shelf) -> Ordinals:
    """Return the same of a list that holds repetitions or unknown items; most hold none, and are read faster."""
    known = dict.fromkeys(map(shelf.ordinals.get, candidates))
    known.pop(None, None)
    return np.array(list(known), dtype=np.int64)
