"""Training of item factors: implicit-feedback ALS on who touched what."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.factors import UNIT, FactorRetriever, gram_of, half_life_s
from scoring_core.candidates.touched import WEIGHTS
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.retrieval import SLOTS, Trained, last_slice, train_retriever
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


TRIED = (Factorisation(), Factorisation(regularisation=1.0), Factorisation(regularisation=0.1))
"""What a training chooses from: the fewer touches there are, the less regularisation they bear."""


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


def learned(past: Interactions, how: Factorisation, *, at: int, seed: int, name: str = "factors") -> FactorRetriever:
    """Return the retriever of what was touched before ``at``, registered nowhere."""
    factors = factorise(person_items(past, at=at, half_life_days=how.half_life_days), how, seed=seed)
    return FactorRetriever(
        name=name,
        version="",
        digest="",
        factors=factors,
        gram=gram_of(factors),
        regularisation=how.regularisation,
        alpha=how.alpha,
        half_life_s=half_life_s(how.half_life_days),
    )


def choose_factorisation(
    past: Interactions, *, seed: int, tried: Sequence[Factorisation], cut: int | None = None
) -> tuple[Factorisation, Mapping[str, Any]]:
    """Return the factorisation that finds most of what people touch next, chosen on the last slice of ``past`` alone
    (from ``cut`` on), and how each was measured; the first of ``tried`` where too few people touched anything new."""
    slice_ = last_slice(past, cut=cut)
    if slice_ is None:
        return tried[0], {"people": 0, "tried": []}
    known, coming = slice_
    values = {
        how: float(coming.recalls(coming.found(coming.retrieved(learned(known, how, at=coming.at, seed=seed)))).mean())
        for how in tried
    }
    best = max(tried, key=lambda how: values[how])
    return best, {
        "people": len(coming.people),
        "metric": f"recall@{SLOTS}",
        "best": values[best],
        "tried": [{**how.document(), "value": round(value, 5)} for how, value in values.items()],
    }


def factors_of(past: Interactions, *, at: int, seed: int, tried: Sequence[Factorisation]) -> Trained:
    """Return item factors learned from what was touched before ``at``, by the best of the ways tried."""
    how, told = choose_factorisation(past, seed=seed, tried=tried) if len(tried) > 1 else (tried[0], {})
    retriever = learned(past, how, at=at, seed=seed)
    parameters = {**how.document(), **({"chosen_on": told} if told else {})}
    return Trained(arrays={"factors": retriever.factors}, parameters=parameters)


def train_factors(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "factors",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
    tried: Sequence[Factorisation] = TRIED,
) -> ModelVersion:
    """Train item factors from the lake, evaluate them on the next slice of time, write and register them, not promote.

    Raises
    ------
    Invalid
        If the lake holds too little to learn from.
    """
    return train_retriever(
        database,
        lake,
        home,
        kind="factors",
        name=name,
        now=now,
        seed=seed,
        origins=origins,
        learn=lambda past, _shelf, at: factors_of(past, at=at, seed=seed, tried=tried),
    )
