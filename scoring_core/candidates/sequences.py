"""Items found by the order in which people touch things: neighbours in the space of sequence embeddings."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.factors import NOTHING, half_life_s
from scoring_core.candidates.index import Neighbours, Vectors, unit
from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.touched import touched
from scoring_core.live import Shelf
from scoring_core.models import read_arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion
from storage.records.subjects import UserState


@dataclass(eq=False, kw_only=True)
class SequenceRetriever:
    """Items by the cosine of their embedding to the weighted sum of those that a person touched, the latest most.

    ``vectors`` are items × dimensions; a row of NaN is an item that was in too few sequences. ``centroids`` are the
    cells of the index where there are very many.

    References
    ----------
    Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, NIPS 2013. Barkan,
    Koenigstein, Item2Vec: Neural Item Embedding for Collaborative Filtering, MLSP 2016.
    """

    name: str
    version: str
    digest: str
    vectors: Vectors = field(repr=False)
    centroids: Vectors = field(repr=False)
    half_life_s: float

    @cached_property
    def index(self) -> Neighbours:
        """The embeddings of length 1, ready to be searched."""
        return Neighbours(self.vectors, centroids=self.centroids)

    def on(self, shelf: Shelf) -> "SequenceRetriever":  # noqa: ARG002  # nothing to place
        """Return itself: what was in no sequence has no embedding."""
        return self

    def nearest(self, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` of the allowed ordinals, best first."""
        person = self._person(user)
        if person is None or quota == 0:
            return NOTHING
        open_ = np.zeros(len(self.vectors), dtype=np.bool_)
        reach = min(len(allowed), len(open_))
        open_[:reach] = allowed[:reach]
        return self.index.nearest(person, open_, quota)

    def affinity(self, user: UserState, ordinals: Ordinals) -> Floats:
        """Return the cosine per ordinal."""
        values = np.full(len(ordinals), np.nan)
        person = self._person(user)
        if person is not None:
            inside = ordinals < len(self.vectors)
            values[inside] = self.index.cosines(person, ordinals[inside])
        return values

    def _person(self, user: UserState) -> Vectors | None:
        """Return where a person stands; None for who showed no liking of anything known."""
        ordinals, weights = touched(user, len(self.vectors), half_life_s=self.half_life_s)
        rows = self.index.units[ordinals]
        known = np.isfinite(rows[:, 0])
        if not (weights[known] > 0.0).any():
            return None
        return unit(np.sum(rows[known] * weights[known, None], axis=0))


def load(version: ModelVersion, home: Path) -> SequenceRetriever:
    """Load a registered version from its folder below ``home``."""
    arrays = read_arrays(version, home)
    return SequenceRetriever(
        name=version.name,
        version=version.version,
        digest=version.digest,
        vectors=arrays["vectors"],
        centroids=arrays["centroids"],
        half_life_s=half_life_s(version.parameters["half_life_days"]),
    )
