"""The tokens of a catalogue: by which attribute values and tags interests in each item are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.interests import item_tokens, token
from storage.records.items import Item
from storage.records.subjects import TOKEN_DTYPE


@dataclass(frozen=True, slots=True)
class Tokens:
    """``names`` by token; ``rows`` of ``TOKEN_DTYPE`` per item, as bytes. The same as a table: ``places`` is a token's
    row in a list of values, ``at`` (items, most tokens of one) the places of an item's tokens, filled up with
    ``len(places)``, and ``weights`` what each contributes, filled up with 0."""

    names: Mapping[int, str] = field(default_factory=dict)
    rows: Sequence[bytes] = ()
    places: Mapping[int, int] = field(default_factory=dict)
    at: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))


def tokens_of(items: Sequence[Item]) -> Tokens:
    """Return the tokens of a catalogue's items, in the order of ordinals."""
    found = [[(name, token(name), weight) for name, weight in item_tokens(item)] for item in items]
    names = {number: name for each in found for name, number, _ in each}
    places = {number: place for place, number in enumerate(names)}
    width = max((len(each) for each in found), default=0)
    at = np.full((len(items), width), len(places), dtype=np.int64)
    weights = np.zeros((len(items), width))
    rows = []
    for ordinal, each in enumerate(found):
        numbered = [(number, weight) for _, number, weight in each]
        rows.append(np.array(numbered, dtype=TOKEN_DTYPE).tobytes())
        at[ordinal, : len(each)] = [places[number] for number, _ in numbered]
        weights[ordinal, : len(each)] = [weight for _, weight in numbered]
    return Tokens(names=names, rows=rows, places=places, at=at, weights=weights)
