"""Training of sequence embeddings: items that people touch one after the other come to lie near each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.index import cells_of
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.retrieval import Trained, train_retriever
from scoring_core.live import Shelf
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.models import ModelVersion
from storage.records.subjects import ROLES

LIKED = ROLES["interest"] | ROLES["commitment"]
LONGEST = 1_000
"""Of longer sequences the latest part is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """How sequences are learned: skip-gram, negative sampling; items in fewer than ``fewest`` places are unknown."""

    dimensions: int = 64
    window: int = 10
    negative: int = 10
    epochs: int = 10
    fewest: int = 3
    half_life_days: float | None = 14.0

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        return asdict(self)


def sequences_of(past: Interactions, shelf: Shelf, *, seed: int, how: Sequences) -> Trained:
    """Return embeddings learned from what each person touched, in order of time, on one thread.

    Raises
    ------
    Invalid
        If no item was touched often enough.

    References
    ----------
    Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, NIPS 2013.
    """
    from gensim.models import Word2Vec

    items = len(shelf.catalogue.items)
    told = _told(past)
    counts = np.bincount([place for sequence in told for place in sequence], minlength=items)
    if counts.max(initial=0) < how.fewest:
        raise Invalid(f"no item was touched {how.fewest} times; sequences tell nothing yet")
    learned = Word2Vec(
        [[str(place) for place in sequence] for sequence in told],
        vector_size=how.dimensions,
        window=how.window,
        negative=how.negative,
        epochs=how.epochs,
        min_count=how.fewest,
        sg=1,
        workers=1,
        seed=seed,
        hashfxn=_number,
    ).wv
    vectors = np.full((items, how.dimensions), np.nan, dtype=np.float32)
    vectors[[int(name) for name in learned.index_to_key]] = learned.vectors
    return Trained(
        arrays={"vectors": vectors, "centroids": cells_of(vectors, seed=seed)},
        parameters=how.document(),
    )


def train_sequences(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "sequences",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    settings: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Train embeddings from the lake, evaluate them on the next slice of time, write and register them, not promote.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    """
    how = Sequences(**(settings or {}))
    return train_retriever(
        database,
        lake,
        home,
        kind="sequences",
        name=name,
        now=now,
        seed=seed,
        origins=origins,
        learn=lambda past, shelf, _at: sequences_of(past, shelf, seed=seed, how=how),
    )


def _told(past: Interactions) -> list[list[int]]:
    """Return what each person touched with liking, in order of time; one item again and again counts once in a row."""
    liked = past.where((past.roles & LIKED) > 0)
    order = np.argsort(liked.person, kind="stable")
    person, ordinal = liked.person[order], liked.ordinal[order]
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (person[1:] != person[:-1]) | (ordinal[1:] != ordinal[:-1])
    person, ordinal = person[fresh], ordinal[fresh]
    parts = np.split(ordinal, np.flatnonzero(np.diff(person)) + 1)
    return [part[-LONGEST:].tolist() for part in parts if len(part) > 1]


def _number(name: str) -> int:
    """Return a hash that is the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little")
