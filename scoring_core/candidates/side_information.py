"""What is told of items beside who touched them, and which items it makes neighbours."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.interests import token
from scoring_core.scorers.protocol import Floats
from storage.records.items import Item

NEIGHBOURS = 30
"""How many items with the most alike side information an item is linked to."""
COMMON = 0.1
"""Words in more than this share of the items (and in more than ``COMMON_ITEMS``) tell nothing."""
COMMON_ITEMS = 500
CHUNK = 1_024

Whole = NDArray[np.int64]

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Links:
    """Weighted links from item to item, as compressed rows: those of source i are ``targets[bounds[i]:bounds[i + 1]]``
    with their ``weights``."""

    bounds: Whole
    targets: NDArray[np.int32]
    weights: NDArray[np.float32]

    @property
    def items(self) -> int:
        """How many items there are, linked or not."""
        return len(self.bounds) - 1

    def spread(self, sources: Whole, amounts: Floats) -> Floats:
        """Return what every item gets when each source sends its amount over its links."""
        got = np.zeros(self.items)
        for source, amount in zip(sources.tolist(), amounts.tolist(), strict=True):
            row = slice(int(self.bounds[source]), int(self.bounds[source + 1]))
            got[self.targets[row]] += amount * self.weights[row]
        return got

    def matrix(self) -> Any:
        """Return the links as a scipy CSR matrix (source × target)."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.weights, self.targets, self.bounds), shape=(self.items, self.items))


def links_of(matrix: Any) -> Links:
    """Return the links of a scipy matrix (source × target)."""
    rows = matrix.tocsr()
    rows.sort_indices()
    return Links(
        bounds=rows.indptr.astype(np.int64),
        targets=rows.indices.astype(np.int32),
        weights=rows.data.astype(np.float32),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Near:
    """The neighbours of some items, as compressed rows."""

    bounds: Whole
    places: Whole
    cosines: Floats

    def mean_of(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each item's neighbours' mean row, weighted by cosine; NaN where no neighbour has one."""
        means = np.full((len(self.bounds) - 1, rows.shape[1]), np.nan, dtype=np.float32)
        for item in range(len(means)):
            at = slice(int(self.bounds[item]), int(self.bounds[item + 1]))
            found, cosines = rows[self.places[at]].astype(np.float64), self.cosines[at]
            usable = np.isfinite(found[:, 0])
            if usable.any():
                means[item] = cosines[usable] @ found[usable] / cosines[usable].sum()
        return means


@dataclass(frozen=True, eq=False, kw_only=True)
class SideInformation:
    """The items of a training by the words that tell of them: TF-IDF with sublinear counts, rows of length 1.

    ``tokens`` are the numbers of the words in order, ``rarity`` their inverse document frequencies; the rows are
    compressed: those of item i are ``places[bounds[i]:bounds[i + 1]]`` (of ``tokens``) with their ``values``.

    References
    ----------
    Salton, Buckley, Term-weighting approaches in automatic text retrieval, IPM 1988.
    """

    tokens: NDArray[np.uint32]
    rarity: NDArray[np.float32]
    bounds: Whole
    places: NDArray[np.int32]
    values: NDArray[np.float32]

    @property
    def items(self) -> int:
        """How many items were there."""
        return len(self.bounds) - 1

    @cached_property
    def matrix(self) -> Any:
        """The items' rows as a scipy CSR matrix."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.values, self.places, self.bounds), shape=(self.items, len(self.tokens)))

    def near(self, items: Sequence[Item]) -> Near:
        """Return the neighbours of other items among those of the training."""
        return neighbours(self.rows_of(items), self.matrix)

    def among_themselves(self) -> Near:
        """Return the neighbours of the items of the training, none its own."""
        return neighbours(self.matrix, self.matrix, itself=True)

    def rows_of(self, items: Sequence[Item]) -> Any:
        """Return other items by the same words, as a scipy CSR matrix; a row depends on its item alone."""
        return _rows([_counted(item) for item in items], self.tokens, self.rarity)


def side_information(items: Sequence[Item]) -> SideInformation:
    """Return the side information of a catalogue. Words of one item alone, and words of very many, are left out."""
    counted = [_counted(item) for item in items]
    frequency = Counter(number for counts in counted for number in counts)
    most = max(COMMON_ITEMS, int(COMMON * len(items)))
    kept = np.array(sorted(number for number, count in frequency.items() if 2 <= count <= most), dtype=np.uint32)
    rarity = np.array(
        [1.0 + np.log((1.0 + len(items)) / (1.0 + frequency[int(number)])) for number in kept], dtype=np.float32
    )
    rows = _rows(counted, kept, rarity)
    return SideInformation(
        tokens=kept,
        rarity=rarity,
        bounds=rows.indptr.astype(np.int64),
        places=rows.indices.astype(np.int32),
        values=rows.data.astype(np.float32),
    )


def told(item: Item) -> list[str]:
    """Return the words that tell of an item: of title and text, its tags, its attributes that are text, its price band.

    >>> told(Item(item_id="a", title="Red mug", tags=("gift",), attributes={"brand": "Acme", "price": 4.0}))
    ['word=red', 'word=mug', 'tag=gift', 'brand=Acme', 'price=4']
    """
    words = [f"word={word}" for word in _WORD.findall(f"{item.title} {item.text}".lower())]
    words += [f"tag={tag}" for tag in item.tags]
    words += [f"{name}={value}" for name, value in item.attributes.items() if isinstance(value, str | bool)]
    price = item.attributes.get("price")
    if isinstance(price, int | float) and not isinstance(price, bool) and price > 0:
        words.append(f"price={round(2 * log2(price))}")
    return words


def neighbours(asking: Any, known: Any, *, itself: bool = False, most: int = NEIGHBOURS) -> Near:
    """Return the ``most`` rows of ``known`` with the highest cosine to each row of ``asking``, equals by place; with
    ``itself`` the two are the same and no row is its own neighbour."""
    bounds, places, cosines = [0], [], []
    across = known.T.tocsc()
    for start in range(0, asking.shape[0], CHUNK):
        block = (asking[start : start + CHUNK] @ across).tocsr()
        block.sort_indices()
        for row in range(block.shape[0]):
            at = slice(block.indptr[row], block.indptr[row + 1])
            found, values = block.indices[at].astype(np.int64), block.data[at].astype(np.float64)
            usable = values > 0.0
            if itself:
                usable &= found != start + row
            found, values = found[usable], values[usable]
            chosen = np.argsort(-values, kind="stable")[:most]
            places.append(found[chosen])
            cosines.append(values[chosen])
            bounds.append(bounds[-1] + len(chosen))
    nothing: list[Any] = [np.zeros(0, dtype=np.int64)]
    return Near(
        bounds=np.array(bounds, dtype=np.int64),
        places=np.concatenate(places or nothing),
        cosines=np.concatenate(cosines or nothing).astype(np.float64),
    )


def grown(links: Links, near: Near, *, weight: float) -> Links:
    """Return the links with new items behind the old ones, each linked with its neighbours both ways."""
    from scipy.sparse import bmat, csr_matrix

    old, new = links.items, len(near.bounds) - 1
    rows = csr_matrix((weight * near.cosines, near.places, near.bounds), shape=(new, old))
    return links_of(bmat([[links.matrix(), rows.T], [rows, csr_matrix((new, new))]]))


def _counted(item: Item) -> Counter[int]:
    return Counter(token(word) for word in told(item))


def _rows(counted: Sequence[Counter[int]], tokens: NDArray[np.uint32], rarity: NDArray[np.float32]) -> Any:
    from scipy.sparse import csr_matrix

    place = {int(number): at for at, number in enumerate(tokens.tolist())}
    bounds: list[int] = [0]
    places: list[int] = []
    values: list[float] = []
    for counts in counted:
        known = sorted((place[number], count) for number, count in counts.items() if number in place)
        row = np.array([(1.0 + np.log(count)) * rarity[at] for at, count in known], dtype=np.float64)
        length = float(np.sqrt(np.sum(row * row)))
        places.extend(at for at, _ in known)
        values.extend((row / length).tolist() if length > 0 else [])
        bounds.append(len(places))
    return csr_matrix(
        (np.array(values, dtype=np.float32), np.array(places, dtype=np.int32), np.array(bounds)),
        shape=(len(counted), len(tokens)),
    )
