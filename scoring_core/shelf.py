"""A catalogue made ready for decisions."""

from hashlib import blake2b

import numpy as np

from scoring_core.features.interests import item_vector
from scoring_core.features.tokens import tokens_of
from scoring_core.live import ItemFeatures, Shelf
from storage.records.document import canonical
from storage.records.events import ITEM_STATS
from storage.records.items import Catalogue
from storage.records.subjects import USER_DIMENSIONS

NEVER = np.iinfo(np.int64).max


def build_shelf(catalogue: Catalogue) -> Shelf:
    """Make ``catalogue`` ready: hidden and sold-out items may not be served.

    Expiry is judged at the moment of each decision, so that a shelf built later replays an earlier decision.
    """
    items = catalogue.items
    expires = np.array([NEVER if item.expires_at is None else item.expires_at for item in items], dtype=np.int64)
    may = [not item.hidden and (item.stock is None or item.stock > 0) for item in items]
    vectors = np.zeros((len(items), USER_DIMENSIONS), dtype=np.float32)
    for ordinal, item in enumerate(items):
        vectors[ordinal] = item_vector(item)
    hashed = blake2b(digest_size=16)
    for item in items:
        hashed.update(canonical(item))
    return Shelf(
        catalogue=catalogue,
        ordinals={item.item_id: ordinal for ordinal, item in enumerate(items)},
        vectors=vectors,
        servable=np.array(may, dtype=np.bool_),
        expires_at=expires if bool((expires != NEVER).any()) else None,
        digest=hashed.digest(),
        tokens=tokens_of(items),
    )


def no_statistics(shelf: Shelf, *, epoch: int = 0) -> ItemFeatures:
    """Return the item features of a shelf of which nothing was seen yet: zeros, counted from nothing."""
    return ItemFeatures(epoch=epoch, values=np.zeros((len(shelf.catalogue.items), len(ITEM_STATS))))
