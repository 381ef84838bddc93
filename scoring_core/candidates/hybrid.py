"""Items found by three kinds of evidence at once: item-to-item weights, side information, and factors."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.factors import NOTHING, UNIT, FactorRetriever, best, half_life_s, of_arrays
from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.side_information import Links, SideInformation, grown
from scoring_core.candidates.touched import touched
from scoring_core.live import Shelf
from scoring_core.models import read_arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion
from storage.records.subjects import UserState


@dataclass(eq=False, kw_only=True)
class HybridRetriever:
    """The score of an item: what the touched items give it over ``links``, plus ``factor_weight`` times the inner
    product of the factorisation.

    A link's weight is the item-to-item weight of EASE (a linear autoencoder in closed form, learned from who touched
    what) plus ``content_weight`` times the cosine of the two items' side information. An item younger than the training
    is linked by its side information, and takes its neighbours' mean factors.

    References
    ----------
    Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.
    Gantner et al., Learning Attribute-to-Feature Mappings for Cold-Start Recommendations, ICDM 2010.
    """

    name: str
    version: str
    digest: str
    links: Links = field(repr=False)
    side: SideInformation = field(repr=False)
    factors: FactorRetriever = field(repr=False)
    content_weight: float
    factor_weight: float
    half_life_s: float
    trained: "HybridRetriever | None" = field(default=None, repr=False)
    """Itself as it was trained, where younger items were placed."""
    _last: tuple[tuple[bytes, int], Floats | None] | None = field(default=None, init=False, repr=False)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which items any evidence reaches."""
        reached = np.zeros(self.links.items, dtype=np.bool_)
        reached[self.links.targets] = True
        return reached | self.factors.known

    def on(self, shelf: Shelf) -> "HybridRetriever":
        """Return the same retriever with the items placed that are younger than its training."""
        trained = self.trained or self
        younger = shelf.catalogue.items[trained.side.items :]
        if not younger:
            return trained
        near, factors = trained.side.near(younger), trained.factors.factors
        placed = np.vstack([factors, near.mean_of(factors)])
        return replace(
            trained,
            links=grown(trained.links, near, weight=self.content_weight),
            factors=replace(trained.factors, factors=placed),
            trained=trained,
        )

    def nearest(self, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` of the allowed ordinals that anything speaks for, best first."""
        scores = self._scores(user)
        if scores is None:
            return NOTHING
        reach = min(len(allowed), len(scores))
        return best(scores[:reach], allowed[:reach] & (scores[:reach] > 0.0), quota=quota)

    def affinity(self, user: UserState, ordinals: Ordinals) -> Floats:
        """Return the score per ordinal."""
        values = np.full(len(ordinals), np.nan)
        scores = self._scores(user)
        if scores is not None:
            inside = ordinals < len(scores)
            inside[inside] = self.known[ordinals[inside]]
            values[inside] = scores[ordinals[inside]]
        return values

    def _scores(self, user: UserState) -> Floats | None:
        """Return every item's score; None for who touched nothing that is known. The latest answer is remembered: a
        decision asks for what is near, and then for its affinity."""
        asked, last = (user.recent, user.updated_at), self._last
        if last is None or last[0] != asked:
            self._last = last = (asked, self._scored(user))
        return last[1]

    def _scored(self, user: UserState) -> Floats | None:
        ordinals, weights = touched(user, self.links.items, half_life_s=self.half_life_s)
        usable = (weights > 0.0) & self.known[ordinals]
        if not usable.any():
            return None
        scores = self.links.spread(ordinals[usable], weights[usable] / UNIT)
        person = self.factors.folded(user) if self.factor_weight else None
        if person is not None:
            by_factors = np.einsum("ij,j->i", self.factors.factors, person)
            scores += self.factor_weight * np.nan_to_num(by_factors.astype(np.float64), nan=0.0)
        return scores


def load(version: ModelVersion, home: Path) -> HybridRetriever:
    """Load a registered version from its folder below ``home``."""
    arrays = read_arrays(version, home)
    settings = version.parameters
    return HybridRetriever(
        name=version.name,
        version=version.version,
        digest=version.digest,
        links=Links(bounds=arrays["bounds"], targets=arrays["targets"], weights=arrays["weights"]),
        side=SideInformation(
            tokens=arrays["tokens"],
            rarity=arrays["rarity"],
            bounds=arrays["side_bounds"],
            places=arrays["side_places"],
            values=arrays["side_values"],
        ),
        factors=of_arrays(version, arrays["factors"]),
        content_weight=float(settings["content_weight"]),
        factor_weight=float(settings["factor_weight"]),
        half_life_s=half_life_s(settings["half_life_days"]),
    )
