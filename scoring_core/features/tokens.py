"""The tokens of a catalogue: by which attribute values and tags interests in each item are told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.interests import MOST_TOKENS, item_tokens, token
from storage.records.items import Item
from storage.records.subjects import TOKEN_DTYPE


@dataclass(frozen=True, slots=True)
class Tokens:
    """``names`` by token; ``rows`` of ``TOKEN_DTYPE`` per item, as bytes. The same as a table: ``places`` is a token's
    place in a list of values that begins with a 0, ``at`` (items, MOST_TOKENS) the places of an item's tokens and
    ``weights`` what each contributes, both filled up with 0."""

    names: Mapping[int, str] = field(default_factory=dict)
    rows: Sequence[bytes] = ()
    places: Mapping[int, int] = field(default_factory=dict)
    at: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, MOST_TOKENS), dtype=np.int32))
    weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, MOST_TOKENS), dtype=np.float32))

    def advanced(self, items: Sequence[Item], changed: Iterable[int]) -> "Tokens":
        """Return the tokens of a later catalogue, given which ordinals changed or are new."""
        more = len(items) - len(self.rows)
        names, places = dict(self.names), dict(self.places)
        rows = [*self.rows, *[b""] * more]
        at = np.concatenate([self.at, np.zeros((more, MOST_TOKENS), dtype=np.int32)])
        weights = np.concatenate([self.weights, np.zeros((more, MOST_TOKENS), dtype=np.float32)])
        for ordinal in changed:
            found = [(token(name), name, weight) for name, weight in item_tokens(items[ordinal])]
            for number, name, _ in found:
                names[number] = name
                places.setdefault(number, len(places) + 1)
            rows[ordinal] = np.array([(number, weight) for number, _, weight in found], dtype=TOKEN_DTYPE).tobytes()
            at[ordinal], weights[ordinal] = 0, 0.0
            at[ordinal, : len(found)] = [places[number] for number, _, _ in found]
            weights[ordinal, : len(found)] = [weight for _, _, weight in found]
        return Tokens(names=names, rows=rows, places=places, at=at, weights=weights)


def tokens_of(items: Sequence[Item]) -> Tokens:
    """Return the tokens of a catalogue's items, in the order of ordinals."""
    return Tokens().advanced(items, range(len(items)))
