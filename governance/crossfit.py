"""What a reward would be expected to be, told of each row by a model that has not seen it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FOLDS = 5
TREES = 50
LEAST_ROWS = 200
"""With fewer, a model of the reward knows nothing that the mean does not."""

CELLS = 20_000_000
"""How many rows × choices × columns are expanded at a time."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Which of all choices each row's is, and with what probability the target makes each: shape (rows, choices)."""

    made: Whole
    target: Floats


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected reward of each row: of what was done, and of what the target would do."""

    logged: Floats
    target: Floats


def expected(
    reward: Floats, features: Floats, *, choices: Choices | None, units: Whole | None, rng: np.random.Generator
) -> Expected:
    """Return what boosted trees expect, cross-fitted: each row is told by trees that saw other units only.

    Without ``choices`` the features are of the circumstances alone, known before anything was chosen: what is expected
    is then the same of every choice, and both answers are one.

    References
    ----------
    Chernozhukov et al., Double/debiased machine learning, Econometrics Journal 21 (2018); Dudík, Langford, Li, Doubly
    Robust Policy Evaluation and Learning, ICML 2011.
    """
    rows = len(reward)
    logged = np.full(rows, float(reward.mean()))
    if rows < LEAST_ROWS or float(reward.std()) == 0.0:
        return Expected(logged, logged)
    told = logged.copy()
    fold = _folds(rows, units, rng)
    table = features if choices is None else np.column_stack([features, choices.made])
    for each in range(FOLDS):
        inside, outside = fold == each, fold != each
        if not inside.any() or not outside.any():
            continue
        trees = _fitted(table[outside], reward[outside], None if choices is None else table.shape[1] - 1)
        logged[inside] = trees.predict(table[inside], num_threads=1)
        told[inside] = logged[inside] if choices is None else _over(trees, features[inside], choices.target[inside])
    return Expected(logged, told)


def _folds(rows: int, units: Whole | None, rng: np.random.Generator) -> Whole:
    if units is None:
        return np.asarray(rng.permutation(rows) % FOLDS, dtype=np.int64)
    _, place = np.unique(units, return_inverse=True)
    return np.asarray((rng.permutation(int(place.max()) + 1) % FOLDS)[place], dtype=np.int64)


def _fitted(table: Floats, reward: Floats, category: int | None) -> Any:
    import lightgbm

    parameters = {
        "objective": "regression",
        "learning_rate": 0.05,
        "num_leaves": 8,
        "min_data_in_leaf": max(20, len(table) // 100),
        "lambda_l2": 1.0,
        "cat_smooth": 20.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": 0,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(table, reward, categorical_feature=[] if category is None else [category])
    return lightgbm.train(parameters, data, num_boost_round=TREES)


def _over(trees: Any, features: Floats, target: Floats) -> Floats:
    """Return Σ over choices of the target's probability × the expected reward."""
    rows, count = target.shape
    step = max(1, CELLS // (count * (features.shape[1] + 1)))
    found = np.empty(rows)
    for at in range(0, rows, step):
        here = features[at : at + step]
        every = np.column_stack([np.repeat(here, count, axis=0), np.tile(np.arange(float(count)), len(here))])
        said = trees.predict(every, num_threads=1).reshape(len(here), count)
        found[at : at + step] = (said * target[at : at + step]).sum(axis=1)
    return found
