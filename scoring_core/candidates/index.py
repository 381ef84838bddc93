"""The nearest neighbours of a vector among unit vectors: exact where that is quick, by Faiss beyond."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Ordinals

Vectors = NDArray[np.float32]

EXACT_BELOW = 200_000
"""Below so many vectors every one is compared; chosen, not measured."""
PROBED = 0.05
"""The share of cells that are searched beyond."""
WIDER = 4
"""Faiss finds so many times the quota; exact cosines then choose among them."""


class Neighbours:
    """Finds the vectors with the highest cosine to one given. Rows of NaN are nobody's neighbour.

    Deterministic: every cosine is computed from its own row alone, equals go by place. Beyond ``EXACT_BELOW`` vectors,
    where ``centroids`` were trained with the model, cells of an inverted file are searched (Jégou, Douze, Schmid,
    Product Quantization for Nearest Neighbor Search, PAMI 2011); a vector's cell depends on it and the centroids
    alone, so an index that grew item by item equals one built at once.

    References
    ----------
    Douze et al., The Faiss library, arXiv 2401.08281.
    """

    def __init__(self, vectors: Vectors, *, centroids: Vectors | None = None, exact_below: int = EXACT_BELOW) -> None:
        self.units = unit_rows(vectors)
        self._known = np.isfinite(self.units[:, 0]) if self.units.shape[1] else np.zeros(len(vectors), dtype=np.bool_)
        self._cells: Any = None
        if centroids is not None and len(centroids) and len(vectors) >= exact_below:
            self._cells = _inverted(self.units, self._known, unit_rows(centroids))
            self._probed = max(1, round(PROBED * len(centroids)))

    def cosines(self, vector: Vectors, places: Ordinals | None = None) -> Vectors:
        """Return the cosine of ``vector``, of length 1, to each row, or to the rows at ``places``."""
        rows = self.units if places is None else self.units.take(places, axis=0)
        found: Vectors = np.einsum("ij,j->i", rows, vector)
        return found

    def nearest(self, vector: Vectors, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` allowed places, the nearest first; equals by place."""
        if self._cells is not None:
            places = self._searched(vector, allowed, quota)
            return _best(places, self.cosines(vector, places), quota)
        places = np.flatnonzero(allowed & self._known)
        return _best(places, self.cosines(vector)[places], quota)

    def _searched(self, vector: Vectors, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        faiss = _faiss()
        chosen = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        asked = faiss.SearchParametersIVF(sel=chosen, nprobe=self._probed)
        _, found = self._cells[0].search(vector[None, :], WIDER * quota, params=asked)
        return np.sort(found[0][found[0] >= 0]).astype(np.int64)


def unit_rows(vectors: Vectors) -> Vectors:
    """Return the rows brought to length 1; a row of zeros becomes NaN."""
    exact = vectors.astype(np.float64)
    lengths = np.sqrt(np.sum(exact * exact, axis=1, keepdims=True))
    units = np.divide(exact, lengths, out=np.full_like(exact, np.nan), where=lengths > 0)
    brought: Vectors = units.astype(np.float32)
    return brought


def unit(vector: NDArray[Any]) -> Vectors | None:
    """Return the vector brought to length 1; None where it has none."""
    exact = vector.astype(np.float64)
    length = float(np.sqrt(np.sum(exact * exact)))
    if not 0.0 < length < np.inf:
        return None
    brought: Vectors = (exact / length).astype(np.float32)
    return brought


def cells_of(vectors: Vectors, *, seed: int, exact_below: int = EXACT_BELOW) -> Vectors:
    """Return the centroids of an inverted file, 4·√n of them by k-means on one thread; none below ``exact_below``."""
    units = unit_rows(vectors)
    units = units[np.isfinite(units[:, 0])] if units.shape[1] else units[:0]
    if len(units) < exact_below:
        return np.zeros((0, vectors.shape[1]), dtype=np.float32)
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        means = faiss.Kmeans(
            units.shape[1], int(4 * len(units) ** 0.5), niter=10, seed=seed, spherical=True, max_points_per_centroid=64
        )
        means.train(units)
    finally:
        faiss.omp_set_num_threads(before)
    return np.ascontiguousarray(means.centroids, dtype=np.float32)


def _faiss() -> Any:
    """Load the library when it is first needed; its own types are wrong."""
    return import_module("faiss")


def _inverted(units: Vectors, known: NDArray[np.bool_], centroids: Vectors) -> tuple[Any, Any]:
    """Return the index and its quantizer, which it does not hold on to by itself."""
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    coarse = faiss.IndexFlatIP(units.shape[1])
    coarse.add(centroids)
    made = faiss.IndexIVFFlat(coarse, units.shape[1], len(centroids), faiss.METRIC_INNER_PRODUCT)
    made.is_trained = True
    places = np.flatnonzero(known)
    made.add_with_ids(units[places], places)
    return made, coarse


def _best(places: Ordinals, cosines: Vectors, quota: int) -> Ordinals:
    if len(places) > quota:
        bar = np.partition(cosines, len(cosines) - quota)[len(cosines) - quota]
        kept = cosines >= bar
        places, cosines = places[kept], cosines[kept]
    return places[np.argsort(-cosines, kind="stable")[:quota]]
