"""What every retriever promises: trained factors or vectors that find items for a person."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats
from storage.records.subjects import UserState

if TYPE_CHECKING:
    from scoring_core.live import Shelf

Ordinals = NDArray[np.int64]


class Retriever(Protocol):
    """Finds items for a person by what they touched. Deterministic; knows items by catalogue ordinal.

    A person of whom it knows nothing gets nothing: ``nearest`` is empty and ``affinity`` is NaN. An item younger than
    the training has affinity NaN, unless the retriever can place it by its attributes.
    """

    name: str
    version: str
    digest: str

    def on(self, shelf: "Shelf") -> "Retriever":
        """Return the same retriever for the items of ``shelf``: those younger than the training are placed by their
        attributes, as far as it can. Called once per shelf, before anything is asked."""

    def nearest(self, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` of the allowed ordinals, best first; equals by ordinal."""

    def affinity(self, user: UserState, ordinals: Ordinals) -> Floats:
        """Return one value per ordinal, higher is better, NaN for unknown: the feature ``model.<name>``."""
