"""Why an item got its score: exact attributions of every scorer that the house knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring_core.scorers.epsilon_greedy import EpsilonGreedyScorer
from scoring_core.scorers.formula import WEIGHTS, FormulaScorer
from scoring_core.scorers.gbdt import GbdtScorer
from scoring_core.scorers.hybrid import HybridScorer
from scoring_core.scorers.linear import LinearScorer, LinThompsonScorer, LinUcbScorer
from scoring_core.scorers.popular import PopularScorer
from scoring_core.scorers.protocol import Floats, Scorer
from scoring_core.scorers.thompson import ThompsonScorer

UNCERTAINTY = "uncertainty"
"""What LinUCB adds for what it does not know yet."""


@dataclass(frozen=True, slots=True)
class Attributions:
    """What each of ``names`` (features, or parts of the scorer) added to each row's score:
    ``base + contributions.sum(1) == score`` up to rounding."""

    base: Floats
    contributions: Floats
    names: tuple[str, ...]


def attribute(scorer: Scorer, table: Floats) -> Attributions | None:
    """Return the attributions of every row; None for a scorer that has none. A blend needs the rows of all candidates
    that were scored: there a score depends on the rows beside it."""
    explain = EXPLAIN.get(type(scorer))
    return None if explain is None else explain(scorer, table)


def _trees(scorer: GbdtScorer, table: Floats) -> Attributions:
    """Return the exact Shapley values of the trees (Lundberg et al., 2020), averaged over the members."""
    if not len(table):
        return Attributions(np.empty(0), np.empty(table.shape), scorer.features)
    contributions = sum(booster.predict(table, pred_contrib=True, num_threads=1) for booster in scorer.boosters)
    mean = contributions / len(scorer.boosters)
    return Attributions(mean[:, -1], mean[:, :-1], scorer.features)


def _formula(scorer: FormulaScorer, table: Floats) -> Attributions:
    """Return each component's share of the weighted mean; one half is the base where nothing is known."""
    shares = scorer.shares(table)
    unknown = ~np.isfinite(shares).any(axis=1)
    return Attributions(np.where(unknown, 0.5, 0.0), np.nan_to_num(shares), tuple(WEIGHTS))


def _linear(scorer: LinearScorer, table: Floats) -> Attributions:
    """Return θ · x by feature; the constant is the base."""
    parts = scorer.parts(table)
    return Attributions(parts[:, -1], parts[:, :-1], scorer.features)


def _upper(scorer: LinUcbScorer, table: Floats) -> Attributions:
    found = _linear(scorer.linear, table)
    bonus = scorer.score(table).values - scorer.linear.score(table).values
    return Attributions(found.base, np.column_stack([found.contributions, bonus]), (*found.names, UNCERTAINTY))


def _rates(scorer: ThompsonScorer | EpsilonGreedyScorer, table: Floats) -> Attributions:
    """Return the Shapley values of impressions and clicks against an item of which nothing is known."""
    nothing = np.full_like(table, np.nan)
    shown, clicked = nothing.copy(), nothing.copy()
    shown[:, 0], clicked[:, 1] = table[:, 0], table[:, 1]
    prior, by_shown, by_clicked, both = (scorer.score(each).values for each in (nothing, shown, clicked, table))
    impressions = ((by_shown - prior) + (both - by_clicked)) / 2.0
    return Attributions(prior, np.column_stack([impressions, both - prior - impressions]), scorer.features)


def _blend(scorer: HybridScorer, table: Floats) -> Attributions:
    names, parts = scorer.parts(table)
    return Attributions(np.zeros(len(table)), parts, names)


def _popular(scorer: PopularScorer, table: Floats) -> Attributions:
    return Attributions(np.zeros(len(table)), scorer.score(table).values[:, None], scorer.features)


EXPLAIN: Mapping[type, Callable[[Any, Floats], Attributions]] = {
    GbdtScorer: _trees,
    FormulaScorer: _formula,
    LinearScorer: _linear,
    LinUcbScorer: _upper,
    LinThompsonScorer: lambda scorer, table: _linear(scorer.linear, table),
    ThompsonScorer: _rates,
    EpsilonGreedyScorer: _rates,
    HybridScorer: _blend,
    PopularScorer: _popular,
}
"""A sampling scorer's score is what it expects; how likely the slot's item was to be drawn is its propensity."""
