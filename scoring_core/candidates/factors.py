"""Items found by factors: a person is folded into the space of a matrix factorisation at the moment of asking."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.touched import touched
from scoring_core.live import Shelf
from scoring_core.models import read_arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion
from storage.records.subjects import UserState

UNIT = 2.0
"""What a commitment weighs among touches: the factorisation counts it as one, an interest as a half."""

UNTHREADED = 200_000
"""Products of matrices stay below so many multiplications: larger ones BLAS divides among threads, which costs more
than it gains here, and may give other bits on another number of cores."""

NOTHING: Ordinals = np.zeros(0, dtype=np.int64)
NOTHING.flags.writeable = False


@dataclass(eq=False, kw_only=True)
class FactorRetriever:
    """Items by the inner product with a person who need not have been in training.

    The person's factors are the closed-form answer of implicit-feedback ALS to the latest items that they touched:
    x = (YᵀY + Yᵀ(C − I)Y + λI)⁻¹ YᵀC·1, where C holds the confidences α · weight · 2^(−age / half-life). ``factors``
    are Y (items × factors, float32; a row of NaN is an item that it does not know), ``gram`` is YᵀY.

    References
    ----------
    Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """

    name: str
    version: str
    digest: str
    factors: NDArray[np.float32] = field(repr=False)
    gram: Floats = field(repr=False)
    regularisation: float
    alpha: float
    half_life_s: float
    _last: tuple[tuple[bytes, int], NDArray[np.float32] | None] | None = field(default=None, init=False, repr=False)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which items have factors."""
        return np.isfinite(self.factors[:, 0])

    def on(self, shelf: Shelf) -> "FactorRetriever":  # noqa: ARG002  # nothing to place
        """Return itself: what nobody touched before the training has no factors."""
        return self

    def folded(self, user: UserState) -> NDArray[np.float32] | None:
        """Return the person's factors; None for who touched nothing that is known. The latest answer is remembered: a
        decision asks for what is near, and then for its affinity."""
        asked, last = (user.recent, user.updated_at), self._last
        if last is None or last[0] != asked:
            self._last = last = (asked, self._placed(user))
        return last[1]

    def _placed(self, user: UserState) -> NDArray[np.float32] | None:
        ordinals, weights = touched(user, len(self.factors), half_life_s=self.half_life_s)
        usable = (weights > 0.0) & self.known[ordinals]
        if not usable.any():
            return None
        return folded(
            self.factors[ordinals[usable]],
            weights[usable] / UNIT,
            gram=self.gram,
            regularisation=self.regularisation,
            alpha=self.alpha,
        )

    def nearest(self, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` of the allowed ordinals, best first."""
        person = self.folded(user)
        if person is None:
            return NOTHING
        reach = min(len(allowed), len(self.factors))
        return best(
            np.einsum("ij,j->i", self.factors[:reach], person), allowed[:reach] & self.known[:reach], quota=quota
        )

    def affinity(self, user: UserState, ordinals: Ordinals) -> Floats:
        """Return the inner product per ordinal."""
        values = np.full(len(ordinals), np.nan)
        person = self.folded(user)
        if person is not None:
            inside = ordinals < len(self.factors)
            values[inside] = np.einsum("ij,j->i", self.factors[ordinals[inside]], person)
        return values


def folded(
    rows: NDArray[np.float32], confidence: Floats, *, gram: Floats, regularisation: float, alpha: float
) -> NDArray[np.float32]:
    """Return the factors of a person who touched the items of ``rows`` with these confidences (before ``alpha``)."""
    items = rows.astype(np.float64)
    sure = alpha * confidence
    left = gram.copy()
    step = max(1, UNTHREADED // items.shape[1] ** 2)
    for start in range(0, len(items), step):
        block = items[start : start + step]
        left += (block.T * (sure[start : start + step] - 1.0)) @ block
    left[np.diag_indices_from(left)] += regularisation
    found: NDArray[np.float32] = np.linalg.solve(left, items.T @ sure).astype(np.float32)
    return found


def best(scores: NDArray[np.floating], open_: NDArray[np.bool_], *, quota: int) -> Ordinals:
    """Return the places of the highest scores among the open ones, equals by place.

    >>> best(np.array([0.1, 0.9, 0.9, 0.5]), np.array([True, True, True, False]), quota=2).tolist()
    [1, 2]
    """
    places = np.flatnonzero(open_)
    values = scores[places]
    if len(places) > quota > 0:
        bar = np.partition(values, len(values) - quota)[len(values) - quota]
        kept = values >= bar
        places, values = places[kept], values[kept]
    return places[np.argsort(-values, kind="stable")[:quota]]


def load(version: ModelVersion, home: Path) -> FactorRetriever:
    """Load a registered version from its folder below ``home``."""
    arrays = read_arrays(version, home)
    return of_arrays(version, arrays["factors"])


def of_arrays(version: ModelVersion, factors: NDArray[np.float32]) -> FactorRetriever:
    """Return the retriever of a version's item factors."""
    settings = version.parameters
    return FactorRetriever(
        name=version.name,
        version=version.version,
        digest=version.digest,
        factors=factors,
        gram=gram_of(factors),
        regularisation=float(settings["regularisation"]),
        alpha=float(settings["alpha"]),
        half_life_s=half_life_s(settings["half_life_days"]),
    )


def gram_of(factors: NDArray[np.float32]) -> Floats:
    """Return YᵀY over the items that have factors."""
    known = factors[np.isfinite(factors[:, 0])].astype(np.float64)
    gram: Floats = known.T @ known
    return gram


def half_life_s(days: float | None) -> float:
    """Return a half-life in seconds; touches never fade where none is given."""
    return np.inf if days is None else float(days) * 86_400.0
