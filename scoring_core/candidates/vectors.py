"""Candidates near what a person touched, by vectors that the caller computed (image, text)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.index import Neighbours, Vectors, unit
from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.touched import touched
from storage.records.items import Item
from storage.records.subjects import UserState


class Spaces:
    """The spaces of one catalogue by name, each made when it is first asked for. The first item that has a vector in a
    space sets its dimension; one of another dimension is not in it."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self._items = items
        self._made: dict[str, Neighbours] = {}

    def space(self, name: str) -> Neighbours:
        """Return a space; one that no item is in has no dimension."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = Neighbours(_matrix(self._items, name))
        return found

    def advanced(self, items: tuple[Item, ...], changed: Sequence[int]) -> "Spaces":
        """Return the spaces of a later catalogue, of which only the items at ``changed`` differ or are new."""
        after = Spaces(items)
        for name, made in tuple(self._made.items()):
            touched_here = any(
                name in items[place].vectors or (place < len(self._items) and name in self._items[place].vectors)
                for place in changed
            )
            if not touched_here and len(items) == len(self._items):
                after._made[name] = made
        return after

    def nearest(self, name: str, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` allowed ordinals near the weighted mean of what the person touched."""
        space = self.space(name)
        ordinals, weights = touched(user, len(space.units))
        rows = space.units[ordinals]
        known = np.isfinite(rows).all(axis=1) if rows.shape[1] else np.zeros(len(rows), dtype=np.bool_)
        towards = unit(np.sum(rows[known] * weights[known, None], axis=0))
        return np.zeros(0, dtype=np.int64) if towards is None else space.nearest(towards, allowed, quota)


def _matrix(items: tuple[Item, ...], name: str) -> Vectors:
    size = next((len(item.vectors[name]) for item in items if name in item.vectors), 0)
    rows = np.zeros((len(items), size), dtype=np.float32)
    for place, item in enumerate(items):
        vector = item.vectors.get(name)
        if vector is not None and len(vector) == size:
            rows[place] = vector
    return rows
