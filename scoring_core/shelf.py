"""A catalogue made ready for decisions."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.search import FullText
from scoring_core.candidates.vectors import Spaces
from scoring_core.columns import Columns
from scoring_core.features.interests import item_vector
from scoring_core.features.tokens import Tokens, tokens_of
from scoring_core.live import ItemFeatures, Shelf
from storage.records.events import ITEM_STATS
from storage.records.items import Catalogue, Item, item_document
from storage.records.subjects import USER_DIMENSIONS

NEVER = np.iinfo(np.int64).max
DIGEST_BYTES = 16


def build_shelf(catalogue: Catalogue) -> Shelf:
    """Make ``catalogue`` ready: hidden and sold-out items may not be served.

    Expiry is judged at the moment of each decision, so that a shelf built later replays an earlier decision.
    """
    items, count = catalogue.items, len(catalogue.items)
    vectors = np.zeros((count, USER_DIMENSIONS), dtype=np.float32)
    servable, expires = np.zeros(count, dtype=np.bool_), np.full(count, NEVER, dtype=np.int64)
    digests = np.zeros((count, DIGEST_BYTES), dtype=np.uint8)
    places = range(count)
    _fill(items, places, vectors=vectors, servable=servable, expires=expires, digests=digests)
    return _shelf(
        catalogue,
        ordinals={item.item_id: ordinal for ordinal, item in enumerate(items)},
        vectors=vectors,
        servable=servable,
        expires=expires,
        digests=digests,
        columns=Columns(items),
        texts=FullText(items),
        spaces=Spaces(items),
        tokens=tokens_of(items),
    )


def advanced(shelf: Shelf, version: int, changed: Sequence[tuple[int, Item]]) -> Shelf:
    """Return the shelf of a later catalogue version, given every item that changed or is new with its ordinal. Equal to
    one built anew, at the cost of the changed items and a copy of the arrays."""
    before, count = shelf.catalogue.items, len(shelf.catalogue.items)
    listed = list(before)
    for ordinal, item in changed:
        if ordinal < count:
            listed[ordinal] = item
    listed += [item for ordinal, item in sorted(changed, key=lambda pair: pair[0]) if ordinal >= count]
    items, places = tuple(listed), [ordinal for ordinal, _ in changed]
    more = len(items) - count
    ordinals = shelf.ordinals
    if more:
        ordinals = {**ordinals, **{items[place].item_id: place for place in range(count, len(items))}}
    vectors, servable = _longer(shelf.vectors, more), _longer(shelf.servable, more)
    expires = np.full(count, NEVER, dtype=np.int64) if shelf.expires_at is None else shelf.expires_at
    expires, digests = _longer(expires, more), _longer(shelf.digests, more)
    _fill(items, places, vectors=vectors, servable=servable, expires=expires, digests=digests)
    return _shelf(
        Catalogue(version=version, items=items),
        ordinals=ordinals,
        vectors=vectors,
        servable=servable,
        expires=expires,
        digests=digests,
        columns=shelf.columns.advanced(items, places),
        texts=shelf.texts.advanced(items, places),
        spaces=shelf.spaces.advanced(items, places),
        tokens=shelf.tokens.advanced(items, places),
    )


def differing(before: Shelf, after: Shelf) -> NDArray[np.int64]:
    """Return the ordinals of ``after`` whose items are new, or others than on ``before``."""
    both = min(len(before.digests), len(after.digests))
    changed = np.flatnonzero((before.digests[:both] != after.digests[:both]).any(axis=1))
    return np.concatenate([changed, np.arange(both, len(after.digests))]).astype(np.int64)


def no_statistics(shelf: Shelf, *, epoch: int = 0) -> ItemFeatures:
    """Return the item features of a shelf of which nothing was seen yet: zeros, counted from nothing."""
    return ItemFeatures(epoch=epoch, values=np.zeros((len(shelf.catalogue.items), len(ITEM_STATS))))


def _fill(
    items: tuple[Item, ...],
    places: Sequence[int],
    *,
    vectors: NDArray[np.float32],
    servable: NDArray[np.bool_],
    expires: NDArray[np.int64],
    digests: NDArray[np.uint8],
) -> None:
    for place in places:
        item = items[place]
        vectors[place] = item_vector(item)
        servable[place] = not item.hidden and (item.stock is None or item.stock > 0)
        expires[place] = NEVER if item.expires_at is None else item.expires_at
        digests[place] = np.frombuffer(blake2b(item_document(item), digest_size=DIGEST_BYTES).digest(), dtype=np.uint8)


def _shelf(
    catalogue: Catalogue,
    *,
    ordinals: Mapping[str, int],
    vectors: NDArray[np.float32],
    servable: NDArray[np.bool_],
    expires: NDArray[np.int64],
    digests: NDArray[np.uint8],
    columns: Columns,
    texts: FullText,
    spaces: Spaces,
    tokens: Tokens,
) -> Shelf:
    ends = np.sort(expires[expires != NEVER])
    return Shelf(
        catalogue=catalogue,
        ordinals=ordinals,
        vectors=vectors,
        servable=servable,
        expires_at=expires if len(ends) else None,
        digest=blake2b(digests.tobytes(), digest_size=16).digest(),
        digests=digests,
        ends=ends,
        columns=columns,
        texts=texts,
        spaces=spaces,
        tokens=tokens,
    )


def _longer(array: NDArray[Any], more: int) -> NDArray[Any]:
    """Return a copy with room for more rows."""
    return np.concatenate([array, np.zeros((more, *array.shape[1:]), dtype=array.dtype)])
