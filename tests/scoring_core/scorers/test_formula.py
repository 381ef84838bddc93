"""The shop's formula: each component where it was promised to lie, weights as the policy says, unknown left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.scorers.formula import (
    SEASONS,
    WEIGHTS,
    FormulaScorer,
    freshness,
    inventory,
    margin,
    match_of_affinity,
    match_of_retriever,
    season,
    trend,
)

ITEM = {
    "user.affinity": 0.5,
    "stat.trend": 3.0,
    "stat.popularity": 7.0,
    "item.stock": 30.0,
    "item.margin": 0.4,
    "item.age_days": 30.0,
    "item.season": float(SEASONS.index("summer")),
    "time.month": 7.0,
}
EXPECTED = {"match": 0.75, "trend": 0.75, "inventory": 0.75, "margin": 0.4, "freshness": 0.5, "season": 1.0}


def row(**unknown: float) -> np.ndarray:
    known = {**ITEM, **{name.replace("__", "."): value for name, value in unknown.items()}}
    return np.array([[known[name] for name in FormulaScorer().features]])


def test_weights_of_the_brief_sum_to_one() -> None:
    assert {"match": 0.4, "trend": 0.2, **dict.fromkeys(("inventory", "margin", "freshness", "season"), 0.1)} == WEIGHTS
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)


def test_each_component_and_the_score() -> None:
    found = FormulaScorer().components(row())[0]
    assert dict(zip(WEIGHTS, found.tolist(), strict=True)) == pytest.approx(EXPECTED)
    score = FormulaScorer().score(row()).values[0]
    assert score == pytest.approx(sum(WEIGHTS[name] * EXPECTED[name] for name in WEIGHTS))


def test_an_unknown_component_gives_its_weight_to_the_others() -> None:
    score = FormulaScorer().score(row(item__margin=np.nan)).values[0]
    assert score == pytest.approx(sum(WEIGHTS[name] * EXPECTED[name] for name in WEIGHTS if name != "margin") / 0.9)


def test_weights_are_the_policys() -> None:
    only = {**dict.fromkeys(WEIGHTS, 0.0), "margin": 3.0}
    assert FormulaScorer(weights=only).score(row()).values[0] == pytest.approx(0.4)
    assert FormulaScorer(weights=only).score(row(item__margin=np.nan)).values[0] == 0.5


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(-1e6, 1e6))
def test_components_lie_between_nothing_and_one(one: float, other: float, any_number: float) -> None:
    low, high = (np.array([value]) for value in sorted((one, other)))
    rising = (
        (trend(low, high + 1.0), trend(high, high + 1.0)),
        (inventory(low, 10.0), inventory(high, 10.0)),
        (margin(low, 0.5), margin(high, 0.5)),
        (freshness(high, 30.0), freshness(low, 30.0)),
        (match_of_retriever(low), match_of_retriever(high)),
        (match_of_affinity(np.array([any_number])), np.ones(1)),
    )
    for less, more in rising:
        assert 0.0 <= less[0] <= more[0] <= 1.0


@pytest.mark.parametrize(
    ("name", "month", "southern", "score"),
    [
        ("winter", 1, False, 1.0),
        ("winter", 12, False, 1.0),
        ("winter", 4, False, 0.5),
        ("winter", 7, False, 0.0),
        ("winter", 7, True, 1.0),
        ("fall", 10, False, 1.0),
        ("autumn", 10, False, 1.0),
        ("all", 3, False, 0.5),
    ],
)
def test_seasons(name: str, month: int, southern: bool, score: float) -> None:
    code = np.array([float(SEASONS.index(name))])
    assert season(code, np.array([float(month)]), southern=southern).tolist() == [score]


def test_what_nobody_touched_has_no_trend_and_no_season_is_unknown() -> None:
    assert np.isnan(trend(np.zeros(1), np.zeros(1))).all()
    assert np.isnan(season(np.array([np.nan]), np.array([3.0]), southern=False)).all()
    assert np.isnan(season(np.array([1.0]), np.array([np.nan]), southern=False)).all()
