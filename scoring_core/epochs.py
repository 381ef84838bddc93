"""Item features by their numbered epochs: rebuilt from a keyframe and what followed it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scoring_core.live import ItemFeatures, Shelf
from storage.records.events import ITEM_STATS, ItemEpoch

Rows = NDArray[np.float64]


def fill(values: Rows, epoch: ItemEpoch) -> None:
    """Write an epoch's rows into a table; a keyframe clears it first. Rows beyond the table are of items that it does
    not have."""
    if epoch.keyframe:
        values[:] = 0.0
    for ordinal, row in epoch.rows.items():
        if ordinal < len(values):
            values[ordinal] = row


def rebuilt(items: int, epochs: Iterable[ItemEpoch]) -> ItemFeatures:
    """Return the features after a keyframe and what followed it, for a replay.

    >>> rebuilt(1, [ItemEpoch(epoch=7, at=0, keyframe=True, rows={0: (2.0, 1.0, 1.0, 0.5, 1.0)})]).epoch
    7
    """
    values = np.zeros((items, len(ITEM_STATS)))
    number = 0
    for epoch in epochs:
        fill(values, epoch)
        number = epoch.epoch
    return ItemFeatures(epoch=number, values=values)


def sized_for(shelf: Shelf, items: ItemFeatures) -> ItemFeatures:
    """Give every item of the shelf a row, nothing seen yet: then a decision's features are told by epoch and catalogue
    version alone."""
    missing = len(shelf.catalogue.items) - len(items.values)
    if missing <= 0:
        return items
    return ItemFeatures(epoch=items.epoch, values=np.vstack([items.values, np.zeros((missing, len(ITEM_STATS)))]))
