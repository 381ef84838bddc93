"""Bagged LambdaRank members: trees that learn the order within a list instead of each row's odds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats

PARAMETERS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "lambda_l2": 1.0,
    "feature_fraction": 0.8,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def fit_lambdarank(
    table: Floats,
    labels: NDArray[Any],
    groups: NDArray[np.int64],
    *,
    names: Sequence[str],
    members: int,
    trees: int,
    seed: int,
    weight: Floats | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Fit every member on its own Poisson bootstrap of the lists; return their text models.

    Rows of one list lie side by side, ``groups`` holds the lists' lengths in order. ``labels`` are whole grades, 0 for
    irrelevant; ``weight`` weighs rows.

    References
    ----------
    Burges, From RankNet to LambdaRank to LambdaMART: An Overview, MSR-TR-2010-82.
    """
    import lightgbm

    settings = {**PARAMETERS, **(parameters or {})}
    rng = np.random.Generator(np.random.PCG64(seed))
    each = np.repeat(np.arange(len(groups)), groups)
    rows = np.ones(len(table)) if weight is None else weight / weight.mean()
    data = lightgbm.Dataset(
        table,
        labels.astype(np.int32),
        group=groups,
        feature_name=[name.replace(".", "__") for name in names],
        params=settings,
        free_raw_data=False,
    ).construct()
    texts = []
    for member in range(members):
        data.set_weight(rows * rng.poisson(1.0, len(groups))[each])
        booster = lightgbm.train({**settings, "seed": seed + member}, data, num_boost_round=trees)
        texts.append(booster.model_to_string())
    return tuple(texts)
