"""Regret of the bandits on simulated arms, driven as the engine drives them, against the same policies of mabwiser.

Bernoulli arms: Thompson sampling and epsilon-greedy over the item statistics (noted, published as epochs, read back
through the feature table, drawn by the exploration step). Contextual arms: outcomes linear in the context, one model
per item, relearned after every round as mabwiser does. Both sides see the same arms, contexts and noise, seed by seed.
Regret is the sum of (best arm's mean − chosen arm's mean). Delayed: clicks and outcomes come ``DELAY`` rounds late to
both; ours knows of an impression at once, as the engine does.
"""

import time
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from scoring_core.edges.popularity import Popularity
from scoring_core.explore import explore, seeded
from scoring_core.features.table import FeatureTable
from scoring_core.learning.bandits import Ridge, designed
from scoring_core.live import ItemFeatures
from scoring_core.scorers.choice import choose
from scoring_core.scorers.linear import LinearScorer, LinThompsonScorer, LinUcbScorer
from scoring_core.scorers.protocol import Floats, Scorer
from scoring_core.shelf import build_shelf
from storage.records.items import Catalogue, Item
from storage.records.policies import ScorerChoice

SEEDS = 20
ROUNDS = 1_000
ARMS = 10
DIMENSIONS = 5
NOISE = 0.5
DELAY = 50
TOLERANCE = 1.10
"""The regret that counts as within 10 %."""


class Bernoulli:
    """Arms with a click rate each."""

    def __init__(self, seed: int, rounds: int) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        self.means = rng.uniform(0.05, 0.5, ARMS)
        self.clicks = rng.random((rounds, ARMS)) < self.means
        self.rounds = rounds


class Linear:
    """Arms whose outcome is linear in the context, with noise."""

    def __init__(self, seed: int, rounds: int) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        theta = rng.normal(size=(ARMS, DIMENSIONS)) / np.sqrt(DIMENSIONS)
        self.contexts = rng.normal(size=(rounds, DIMENSIONS))
        self.means = self.contexts @ theta.T
        self.outcomes = self.means + NOISE * rng.normal(size=self.means.shape)
        self.rounds = rounds


def shelf_of_arms() -> Any:
    """Return a shelf with one item per arm."""
    return build_shelf(Catalogue(version=1, items=tuple(Item(item_id=f"arm{arm}") for arm in range(ARMS))))


SHELF = shelf_of_arms()
EVERYONE = np.arange(ARMS)


def shown(scorer: Scorer, table: Floats, seed: int) -> int:
    """Return the arm that a decision of one slot shows."""
    scores = scorer.score(table)
    greedy = (-scores.values).argsort(kind="stable")
    slate = explore(greedy, 1, epsilon=0.0, rng=seeded(seed), pins={}, values=scores.values, draw=scores.draw)
    return slate.rows[0]


def ours_bernoulli(choice: ScorerChoice, world: Bernoulli, seed: int, delay: int) -> float:
    """Return the regret of a scorer over item statistics."""
    model = choose(choice, {})[1]
    assert model is not None
    statistics = Popularity(ARMS, now=0)
    features = ItemFeatures(epoch=0, values=np.zeros((ARMS, 5)))
    table = FeatureTable(model.scorer.features, SHELF)
    regret = 0.0
    chosen: list[int] = []
    for turn in range(world.rounds):
        rows = table.rows(EVERYONE, {}, None, features)
        arm = shown(model.scorer, rows, (seed << 32) + turn) if turn else 0
        regret += world.means.max() - world.means[arm]
        statistics.note(arm, "impression", 0.0, turn)
        chosen.append(arm)
        known = turn - delay
        if known >= 0 and world.clicks[known, chosen[known]]:
            statistics.note(chosen[known], "click", 1.0, turn)
        _, features = statistics.publish(turn)
    return regret


def ours_linear(wrap: Callable[[LinearScorer], Scorer], world: Linear, seed: int, delay: int) -> float:
    """Return the regret of a scorer over a linear model with one arm per item."""
    names = (*(f"context.x{place}" for place in range(DIMENSIONS)), "item.item_id")
    categories = {"item.item_id": tuple(item.item_id for item in SHELF.catalogue.items)}
    table = FeatureTable(names, SHELF, categories=categories)
    design = designed(np.zeros((1, len(names))), names, categories, arms="item.item_id")

    ridge = Ridge(design.width, arms=ARMS)
    theta, inverse = ridge.solved()
    regret = 0.0
    seen: list[tuple[Floats, int]] = []
    for turn in range(world.rounds):
        linear = LinearScorer("linear", "1", "-", names, design, theta, inverse, 1.0)
        context = {f"x{place}": float(world.contexts[turn, place]) for place in range(DIMENSIONS)}
        rows = table.rows(EVERYONE, context, None, ItemFeatures(epoch=0, values=np.zeros((ARMS, 5))))
        arm = shown(wrap(linear), rows, (seed << 32) + turn)
        regret += world.means[turn].max() - world.means[turn, arm]
        seen.append((rows[arm : arm + 1], arm))
        known = turn - delay
        if known >= 0:
            one, arm = seen[known]
            ridge.learn(design.vectors(one), design.arms(one, ARMS), world.outcomes[known, arm : arm + 1])
            theta[arm + 1], inverse[arm + 1] = ridge.solved_of(arm + 1)
    return regret


def theirs(policy: Any, world: Bernoulli | Linear, seed: int, delay: int) -> float:
    """Return the regret of mabwiser's policy, told of every outcome when ours is; before the first it draws evenly."""
    from mabwiser.mab import MAB

    bandit = MAB(list(range(ARMS)), policy, seed=seed)
    blind = np.random.Generator(np.random.PCG64(seed))
    chosen: list[tuple[int, Any]] = []
    regret = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(world, Linear):
            bandit.fit([0], [0.0], np.zeros((1, DIMENSIONS + 1)))
        for turn in range(world.rounds):
            if isinstance(world, Linear):
                context = np.append(world.contexts[turn], 1.0)[None]
                arm = int(bandit.predict(context))
                regret += world.means[turn].max() - world.means[turn, arm]
            else:
                context = None
                arm = int(bandit.predict()) if turn > delay else int(blind.integers(ARMS)) if delay else 0
                regret += world.means.max() - world.means[arm]
            chosen.append((arm, context))
            known = turn - delay
            if known < 0:
                continue
            arm, context = chosen[known]
            if isinstance(world, Linear):
                bandit.partial_fit([arm], [world.outcomes[known, arm]], context)
            else:
                learn = bandit.partial_fit if known else bandit.fit
                learn([arm], [int(world.clicks[known, arm])])
    return float(regret)


def compared(name: str, seeds: int = SEEDS, rounds: int = ROUNDS, delay: int = 0) -> tuple[Floats, Floats]:
    """Return our regret and mabwiser's, seed by seed."""
    from mabwiser.mab import LearningPolicy

    own: dict[str, Callable[[int], float]] = {
        "thompson": lambda seed: ours_bernoulli(ScorerChoice(name="thompson"), Bernoulli(seed, rounds), seed, delay),
        "epsilon_greedy": lambda seed: ours_bernoulli(
            ScorerChoice(name="epsilon_greedy", parameters={"epsilon": 0.1}), Bernoulli(seed, rounds), seed, delay
        ),
        "linucb": lambda seed: ours_linear(
            lambda linear: LinUcbScorer(linear, alpha=1.0), Linear(seed, rounds), seed, delay
        ),
        "linear_thompson": lambda seed: ours_linear(
            lambda linear: LinThompsonScorer(linear, width=1.0), Linear(seed, rounds), seed, delay
        ),
    }
    reference: dict[str, tuple[Any, type[Bernoulli | Linear]]] = {
        "thompson": (LearningPolicy.ThompsonSampling(), Bernoulli),
        "epsilon_greedy": (LearningPolicy.EpsilonGreedy(epsilon=0.1), Bernoulli),
        "linucb": (LearningPolicy.LinUCB(alpha=1.0, l2_lambda=1.0), Linear),
        "linear_thompson": (LearningPolicy.LinTS(alpha=1.0, l2_lambda=1.0), Linear),
    }
    policy, world = reference[name]
    ours = np.array([own[name](seed) for seed in range(seeds)])
    return ours, np.array([theirs(policy, world(seed, rounds), seed, delay) for seed in range(seeds)])


def ratio(ours: Floats, reference: Floats) -> tuple[float, float, float]:
    """Return the ratio of the mean regrets and its 95 % interval, by a paired bootstrap over seeds."""
    rng = np.random.Generator(np.random.PCG64(1))
    drawn = rng.integers(0, len(ours), (4_000, len(ours)))
    spread = ours[drawn].mean(axis=1) / reference[drawn].mean(axis=1)
    low, high = np.quantile(spread, [0.025, 0.975])
    return float(ours.mean() / reference.mean()), float(low), float(high)


def micros(choice: ScorerChoice, candidates: int = 100, slots: int = 3, repeats: int = 300) -> Floats:
    """Return how long scoring and drawing took, in microseconds, of each of many decisions."""
    model = choose(choice, {})[1]
    assert model is not None
    rng = np.random.Generator(np.random.PCG64(2))
    spent = []
    for turn in range(repeats):
        shown_before = 10 ** rng.uniform(1, 5, candidates)
        table = np.stack([shown_before, shown_before * rng.beta(2, 60, candidates)], axis=1).round()
        started = time.perf_counter_ns()
        scores = model.scorer.score(table)
        greedy = (-scores.values).argsort(kind="stable")
        explore(greedy, slots, epsilon=0.05, rng=seeded(turn), pins={}, values=scores.values, draw=scores.draw)
        spent.append((time.perf_counter_ns() - started) / 1e3)
    return np.array(spent)


def main() -> None:
    """Print one figure per algorithm, and what drawing costs."""
    for name, delay in product(("thompson", "epsilon_greedy", "linucb", "linear_thompson"), (0, DELAY)):
        ours, reference = compared(name, delay=delay)
        found, low, high = ratio(ours, reference)
        Figure(
            bench=f"bandits.{name}{'.delayed' if delay else ''}",
            value=float(ours.mean()),
            unit="regret",
            floor=float(reference.mean()),
            ratio=found,
            target=f"≤ {TOLERANCE} × mabwiser's regret, mean of {SEEDS} seeds",
            ok=found <= TOLERANCE,
            raw={"low": low, "high": high, "rounds": ROUNDS, "arms": ARMS},
        ).print()
    spent = micros(ScorerChoice(name="thompson"))
    Figure(
        bench="bandits.draw",
        value=float(np.median(spent)),
        unit="µs",
        floor=None,
        ratio=None,
        target="≤ 1,000 µs for 100 candidates, 3 slots, exact chances",
        ok=bool(np.median(spent) <= 1_000.0),
        raw={"p99": float(np.quantile(spent, 0.99))},
    ).print()


if __name__ == "__main__":
    main()
