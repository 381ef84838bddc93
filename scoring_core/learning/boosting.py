"""LightGBM members on half-samples, from a matrix in memory or from batches on the disk."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats
from storage.errors import Invalid

Objective = Literal["binary", "lambdarank"]

COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "num_leaves": 15,
        "learning_rate": 0.1,
        "lambda_l2": 1.0,
        "feature_fraction": 0.8,
        "min_sum_hessian_in_leaf": 1e-3,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
)
OBJECTIVES: Mapping[Objective, Mapping[str, Any]] = MappingProxyType(
    {
        "binary": {"objective": "binary"},
        "lambdarank": {"objective": "lambdarank", "label_gain": [0, 1], "lambdarank_truncation_level": 20},
    }
)


class Labels(Protocol):
    """What trees are fitted to; rows of one ``decision`` lie together."""

    @property
    def clicked(self) -> NDArray[np.bool_]:
        """Whether each row was clicked."""

    @property
    def weight(self) -> Floats:
        """How much each row weighs."""

    @property
    def decision(self) -> NDArray[np.int64]:
        """Which rows were shown together."""


def parameters(objective: Objective, rows: int, *, members: int = 1) -> dict[str, Any]:
    """Return LightGBM's parameters for each of so many members, which share so many rows."""
    rows = rows if members == 1 else rows // 2
    return {**COMMON, **OBJECTIVES[objective], "min_data_in_leaf": max(20, rows // 500)}


def fit(
    past: Labels,
    features: Floats | list[Any],
    *,
    names: Sequence[str],
    members: int,
    trees: int,
    seed: int,
    objective: Objective = "binary",
) -> tuple[str, ...]:
    """Fit every member on its own half of the rows, drawn without replacement; return their text models.

    ``features`` is the matrix, or a list of ``lightgbm.Sequence``; it is binned once for all members. A member that is
    alone sees every row. With the objective ``lambdarank`` whole decisions are drawn, and their slots are what is
    ranked.

    References
    ----------
    Burges, From RankNet to LambdaRank to LambdaMART: an overview, MSR-TR-2010-82. Bühlmann and Yu, Analyzing bagging,
    Annals of Statistics 30 (2002): half-samples do what bootstrap samples do, at less cost.

    Raises
    ------
    Invalid
        If nothing can be ranked within a decision.
    """
    import lightgbm

    wanted = parameters(objective, len(past.clicked), members=members)
    unit, group = (None, None) if objective == "binary" else _groups(past)
    data = lightgbm.Dataset(
        features,
        past.clicked.astype(np.float32),
        weight=past.weight / past.weight.mean(),
        group=group,
        feature_name=[name.replace(".", "__") for name in names],
        params=wanted,
    ).construct()
    rng = np.random.Generator(np.random.PCG64(seed))
    texts = []
    for member in range(members):
        sample = data
        if members > 1:
            drawn = rng.random(len(past.clicked) if group is None else len(group)) < 0.5
            sample = data.subset([])
            rows: Any = np.flatnonzero(drawn if unit is None else drawn[unit]).astype(np.int32)
            sample.used_indices = rows  # as a list, millions of them take as long as the trees
        booster = lightgbm.train({**wanted, "seed": seed + member}, sample, num_boost_round=trees)
        texts.append(booster.model_to_string())
    return tuple(texts)


def _groups(past: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the decision of each row, counted from 0 in their order, and the number of rows of each."""
    unit = np.cumsum(np.diff(past.decision, prepend=past.decision[:1]) != 0)
    group = np.bincount(unit)
    clicked = np.bincount(unit, weights=past.clicked)
    if not ((clicked > 0) & (clicked < group)).any():
        raise Invalid(
            "lambdarank ranks the slots of a decision, and no decision has a clicked slot beside an unclicked one; "
            "train with the objective binary"
        )
    return unit, group
