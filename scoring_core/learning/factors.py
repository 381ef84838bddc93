"""Training of item factors: implicit-feedback ALS on who touched what."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.factors import UNIT, half_life_s
from scoring_core.candidates.touched import WEIGHTS
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.retrieval import Trained, train_retriever
from scoring_core.live import Shelf
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import SECOND
from storage.records.models import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Factorisation:
    """How the matrix is factorised; ``half_life_days`` fades what was touched long ago (None: nothing fades)."""

    factors: int = 64
    regularisation: float = 10.0
    alpha: float = 1.0
    iterations: int = 15
    half_life_days: float | None = None

    def document(self) -> dict[str, Any]:
        """Return the plain form."""
        return asdict(self)


def person_items(known: Interactions, *, at: int, half_life_days: float | None = None) -> Any:
    """Return a scipy CSR matrix (people × items) of what each touch weighs at ``at``, by the very rule by which a
    request weighs what a person touched: all roles of a person with an item together, as of the last one. What weighs
    nothing or less is left out."""
    from scipy.sparse import csr_matrix

    pairs = known.person * max(known.items, 1) + known.ordinal
    order = np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    roles = np.bitwise_or.reduceat(known.roles[order], starts) if len(order) else known.roles
    last = np.maximum.reduceat(known.at[order], starts) if len(order) else known.at
    age = np.maximum(at // SECOND - last // SECOND, 0)
    weights = WEIGHTS[roles] / UNIT * np.exp2(-age / half_life_s(half_life_days))
    rows = order[starts] if len(order) else order
    kept = weights > 0.0
    return csr_matrix(
        (weights[kept], (known.person[rows[kept]], known.ordinal[rows[kept]])), shape=(known.people, known.items)
    )


def factorise(matrix: Any, how: Factorisation, *, seed: int) -> NDArray[np.float32]:
    """Return item factors (items × factors); NaN for items that nobody touched. One thread, so that the same seed
    gives the same bytes.

    References
    ----------
    Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(
            factors=how.factors,
            regularization=how.regularisation,
            alpha=how.alpha,
            iterations=how.iterations,
            num_threads=1,
            random_state=seed,
        )
        als.fit(matrix.astype(np.float32), show_progress=False)
    factors = np.array(als.item_factors, dtype=np.float32)
    factors[np.asarray(matrix.astype(bool).sum(axis=0)).ravel() == 0] = np.nan
    return factors


def factors_of(past: Interactions, _shelf: Shelf, *, at: int, seed: int, how: Factorisation) -> Trained:
    """Return item factors learned from what was touched before ``at``."""
    matrix = person_items(past, at=at, half_life_days=how.half_life_days)
    return Trained(arrays={"factors": factorise(matrix, how, seed=seed)}, parameters=how.document())


def train_factors(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "factors",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    settings: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Train item factors from the lake, evaluate them on the next slice of time, write and register them, not promote.

    ``settings`` change fields of ``Factorisation``.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    """
    how = Factorisation(**(settings or {}))
    return train_retriever(
        database,
        lake,
        home,
        kind="factors",
        name=name,
        now=now,
        seed=seed,
        origins=origins,
        learn=lambda past, shelf, at: factors_of(past, shelf, at=at, seed=seed, how=how),
    )
