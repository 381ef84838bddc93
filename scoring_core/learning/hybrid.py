"""Training of the hybrid: EASE's item-to-item weights, side information and factors, blended on a slice of time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.factors import FactorRetriever, half_life_s
from scoring_core.candidates.hybrid import HybridRetriever
from scoring_core.candidates.side_information import SideInformation, links_of, side_information
from scoring_core.learning.factors import TRIED, Factorisation, choose_factorisation, learned, person_items
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.retrieval import SLOTS, Trained, last_slice, train_retriever
from scoring_core.live import Shelf
from storage.database import Database
from storage.lake import Lake
from storage.records.models import ModelVersion

STRONGEST = 50
"""How many items an item gets EASE weights from."""
WIDEST = 500
"""How many items an item gives links to at most."""
MOST_DENSE = 8_000
"""EASE inverts a matrix of items × items: beyond so many items only those most touched are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How the evidence is learned and blended; ``penalty`` is EASE's λ."""

    penalty: float = 200.0
    half_life_days: float | None = 90.0
    content_weight: float = 0.02
    factor_weight: float = 0.2
    factorisation: Factorisation = field(default_factory=Factorisation)

    def document(self) -> dict[str, Any]:
        """Return the plain form, flat: what the retriever is loaded with."""
        settings = asdict(self)
        return {**settings.pop("factorisation"), **settings}


CHOICES: Mapping[str, tuple[float, ...]] = {
    "penalty": (100.0, 200.0, 400.0),
    "content_weight": (0.0, 0.01, 0.02, 0.05),
    "factor_weight": (0.0, 0.2),
}
"""What ``choose`` tries, in every combination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was learned once and is blended in many ways: EASE weights by penalty, cosines, factors."""

    weights: Mapping[float, Any]
    cosines: Any
    side: SideInformation
    factors: FactorRetriever

    def retriever(self, blend: Blend, *, name: str = "hybrid", version: str = "", digest: str = "") -> HybridRetriever:
        """Return the retriever of a blend."""
        return HybridRetriever(
            name=name,
            version=version,
            digest=digest,
            links=links_of(_widest(self.weights[blend.penalty] + blend.content_weight * self.cosines)),
            side=self.side,
            factors=self.factors,
            content_weight=blend.content_weight,
            factor_weight=blend.factor_weight,
            half_life_s=half_life_s(blend.half_life_days),
        )


def evidence(
    past: Interactions, shelf: Shelf, *, at: int, seed: int, blend: Blend, penalties: Sequence[float]
) -> Evidence:
    """Learn from what was touched before ``at``."""
    from scipy.sparse import csr_matrix

    matrix = person_items(past, at=at, half_life_days=blend.half_life_days)
    side = side_information(shelf.catalogue.items)
    near = side.among_themselves()
    how = replace(blend.factorisation, half_life_days=blend.half_life_days)
    return Evidence(
        weights={penalty: ease(matrix, penalty) for penalty in penalties},
        cosines=csr_matrix((near.cosines, near.places, near.bounds), shape=(past.items, past.items)).T.tocsr(),
        side=side,
        factors=learned(past, how, at=at, seed=seed),
    )


def ease(matrix: Any, penalty: float) -> Any:
    """Return EASE's item-to-item weights as a scipy CSR matrix (source × target): B = I − P / diag(P) with
    P = (XᵀX + λI)⁻¹, of which each target keeps the ``STRONGEST`` positive ones.

    References
    ----------
    Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.
    """
    from scipy.linalg import lapack
    from scipy.sparse import coo_matrix
    from threadpoolctl import threadpool_limits

    items = matrix.shape[1]
    touched = np.diff(matrix.tocsc().indptr)
    dense = np.sort(np.argsort(-touched, kind="stable")[:MOST_DENSE])
    dense = dense[touched[dense] > 0]
    if not len(dense):
        return coo_matrix((items, items)).tocsr()
    columns = matrix.tocsc()[:, dense]
    gram = (columns.T @ columns).toarray()
    gram[np.diag_indices_from(gram)] += penalty
    with threadpool_limits(1, "blas"):
        factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
        inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    most = min(STRONGEST, len(dense))
    sources = np.argpartition(-weights, most - 1, axis=0)[:most]
    kept = np.take_along_axis(weights, sources, axis=0)
    targets = np.broadcast_to(np.arange(len(dense)), sources.shape)
    positive = kept > 0.0
    return coo_matrix(
        (kept[positive], (dense[sources[positive]], dense[targets[positive]])), shape=(items, items)
    ).tocsr()


def choose(
    past: Interactions, shelf: Shelf, *, seed: int, start: Blend, cut: int | None = None
) -> tuple[Blend, Mapping[str, Any]]:
    """Return the blend that finds most of what people touch next, chosen on the last slice of ``past`` alone (from
    ``cut`` on), and how each was measured."""
    slice_ = last_slice(past, cut=cut)
    if slice_ is None:
        return start, {"people": 0, "tried": []}
    known, coming = slice_
    evidences = evidence(known, shelf, at=coming.at, seed=seed, blend=start, penalties=CHOICES["penalty"])
    tried = []
    for penalty in CHOICES["penalty"]:
        for content_weight in CHOICES["content_weight"]:
            for factor_weight in CHOICES["factor_weight"]:
                blend = replace(start, penalty=penalty, content_weight=content_weight, factor_weight=factor_weight)
                found = coming.found(coming.retrieved(evidences.retriever(blend)))
                value = float(coming.recalls(found).mean())
                tried.append((value, blend))
    best = max(tried, key=lambda each: each[0])
    return best[1], {
        "people": len(coming.people),
        "metric": f"recall@{SLOTS}",
        "best": best[0],
        "tried": [
            {**{name: getattr(blend, name) for name in CHOICES}, "value": round(value, 5)} for value, blend in tried
        ],
    }


def hybrid_of(
    past: Interactions, shelf: Shelf, *, at: int, seed: int, start: Blend, tried: Sequence[Factorisation] = TRIED
) -> Trained:
    """Return the arrays of a hybrid whose factorisation and blend were chosen within ``past``."""
    how, _ = choose_factorisation(past, seed=seed, tried=tried)
    blend, told = choose(past, shelf, seed=seed, start=replace(start, factorisation=how))
    found = evidence(past, shelf, at=at, seed=seed, blend=blend, penalties=(blend.penalty,)).retriever(blend)
    return Trained(arrays=arrays_of(found), parameters={**blend.document(), "chosen_on": told})


def arrays_of(retriever: HybridRetriever) -> dict[str, Any]:
    """Return the arrays of a hybrid's file."""
    return {
        "bounds": retriever.links.bounds,
        "targets": retriever.links.targets,
        "weights": retriever.links.weights,
        "tokens": retriever.side.tokens,
        "rarity": retriever.side.rarity,
        "side_bounds": retriever.side.bounds,
        "side_places": retriever.side.places,
        "side_values": retriever.side.values,
        "factors": retriever.factors.factors,
    }


def train_hybrid(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "hybrid",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
) -> ModelVersion:
    """Train the hybrid from the lake, evaluate it on the next slice of time, write and register it, not promote.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    """
    return train_retriever(
        database,
        lake,
        home,
        kind="hybrid",
        name=name,
        now=now,
        seed=seed,
        origins=origins,
        learn=lambda past, shelf, at: hybrid_of(past, shelf, at=at, seed=seed, start=Blend()),
    )


def _widest(matrix: Any) -> Any:
    """Return the matrix with the ``WIDEST`` strongest entries of each row."""
    rows = matrix.tocsr()
    rows.sort_indices()
    for row in np.flatnonzero(np.diff(rows.indptr) > WIDEST).tolist():
        values = rows.data[rows.indptr[row] : rows.indptr[row + 1]]
        values[np.argsort(-values, kind="stable")[WIDEST:]] = 0.0
    rows.eliminate_zeros()
    return rows
