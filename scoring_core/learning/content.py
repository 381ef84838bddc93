"""Training of what words tell: how rare each is in the catalogue, and how many people like what it stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.side_information import side_information
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.retrieval import Trained, train_retriever
from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.models import ModelVersion

FEWEST_TOUCHED = 20
"""With fewer items that anybody touched, nothing is expected of words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """How content is learned: ``lift`` is what the expectation of an item's words counts beside the cosine, ``penalty``
    that of its ridge regression. On the benchmark's slice before the cut the first was best of 0, 0.05, 0.1, 0.2."""

    lift: float = 0.05
    penalty: float = 1.0
    half_life_days: float | None = 14.0

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        return asdict(self)


def content_of(past: Interactions, shelf: Shelf, *, how: Content) -> Trained:
    """Return what the words of a catalogue tell.

    Raises
    ------
    Invalid
        If the catalogue tells nothing of its items.
    """
    items = shelf.catalogue.items
    side = side_information(items)
    if not len(side.tokens):
        raise Invalid("the catalogue tells too little: no two items share a word, a tag or an attribute")
    people = np.bincount(np.unique(past.person * len(items) + past.ordinal) % len(items), minlength=len(items))
    return Trained(
        arrays={
            "tokens": side.tokens,
            "rarity": side.rarity,
            "expected": _expected(side.matrix.astype(np.float64), people, penalty=how.penalty),
        },
        parameters=how.document(),
    )


def train_content(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "content",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    settings: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Train content from the catalogue and the lake, evaluate it on the next slice of time, write and register it, not
    promote. No interaction is needed.

    Raises
    ------
    Invalid
        If the catalogue tells nothing of its items.
    """
    how = Content(**(settings or {}))
    return train_retriever(
        database,
        lake,
        home,
        kind="content",
        name=name,
        now=now,
        seed=seed,
        origins=origins,
        learn=lambda past, shelf, _at: content_of(past, shelf, how=how),
        fewest=0,
    )


def _expected(rows: Any, people: Any, *, penalty: float) -> Floats:
    """Return per word what it adds to log(1 + people): w of (XᵀX + λI) w = Xᵀ(y − ȳ) over the items that somebody
    touched, scaled so that the items' sums have a spread of 1; their mean is left out, as it moves all alike."""
    from scipy.sparse.linalg import lsqr

    touched = np.flatnonzero(people)
    if len(touched) < FEWEST_TOUCHED:
        return np.zeros(rows.shape[1])
    known, wanted = rows[touched], np.log1p(people[touched].astype(np.float64))
    found: Floats = lsqr(known, wanted - wanted.mean(), damp=np.sqrt(penalty), atol=1e-8, btol=1e-8)[0]
    spread = float(np.std(known @ found))
    return found / spread if spread > 0.0 else np.zeros(rows.shape[1])
