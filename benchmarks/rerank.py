"""What fair exposure costs: NDCG given up on the shared ranking data, against the least that any lottery gives up."""

import gzip
import os
import sys
import time
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from scoring_core.features.table import Ordinals
from scoring_core.rerank import PlannedRerank, rerank
from scoring_core.scorers.protocol import Floats

DATA = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SLOTS = 10
SHARES = (0.5, 0.8, 0.9)
THIRDS = 3
TARGET_SHARE = 0.8
DRAWS = 2_000
PARAMETERS = {"objective": "lambdarank", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20, "verbose": -1}


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """One query: what the model makes of its documents, how relevant they are, and to which group each belongs."""

    scores: Floats
    grades: NDArray[np.int64]
    groups: Ordinals


@dataclass(slots=True)
class Outcome:
    """What a share of exposure did to the lists: costs by score, recorded as a decision records them, and by grade."""

    ours: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    graded: list[float] = field(default_factory=list)
    held: int = 0
    feasible: int = 0
    seconds: float = 0.0


def lists(seed: int = 1) -> list[List]:
    """Return every query, scored by trees that were grown on the other half of the queries.

    Groups are thirds of the documents by the feature that the trees use most: no others are as far apart in score.
    """
    import lightgbm

    with gzip.open(DATA / "ltr" / "rank.train.gz", "rt") as file:
        rows = file.read().splitlines()
    sizes = np.array([int(line) for line in (DATA / "ltr" / "rank.train.query").read_text().split()])
    table, grades = np.zeros((len(rows), 301)), np.empty(len(rows), dtype=np.int64)
    for at, row in enumerate(rows):
        label, *cells = row.split()
        grades[at] = int(label)
        for cell in cells:
            column, _, value = cell.partition(":")
            table[at, int(column)] = float(value)
    query, scores, gain = np.repeat(np.arange(len(sizes)), sizes), np.empty(len(rows)), np.zeros(table.shape[1])
    for half in range(2):
        past = query % 2 == half
        known = lightgbm.Dataset(table[past], label=grades[past], group=sizes[half::2])
        model = lightgbm.train(PARAMETERS | {"seed": seed, "deterministic": True, "num_threads": 1}, known, 60)
        scores[~past] = np.asarray(model.predict(table[~past]))
        gain += model.feature_importance("gain")
    used = table[:, int(gain.argmax())]
    group = np.searchsorted(np.quantile(used, [1 / THIRDS, 2 / THIRDS]), used)
    return [List(scores[query == at], grades[query == at], group[query == at]) for at in range(len(sizes))]


def exposures(size: int) -> Floats:
    """Return what each slot is worth."""
    return np.array([1.0 / log2(2 + slot) for slot in range(size)])


def due(one: List, share: float, size: int) -> dict[int, float]:
    """Return the exposure that each group must get."""
    worth = float(exposures(size).sum())
    return {int(group): share * worth * float(np.mean(one.groups == group)) for group in np.unique(one.groups)}


def fair(one: List, top: Ordinals, share: float) -> bool:
    """Tell whether every group gets what it must."""
    worth = exposures(len(top))
    wanted = due(one, share, len(top)).items()
    return all(worth[one.groups[top] == group].sum() >= need - 1e-9 for group, need in wanted)


def cheapest(one: List, share: float, size: int) -> float | None:
    """Return the least cost of any fair lottery over rankings, None where none is fair: no ranking costs less.

    It is the linear programme over doubly stochastic matrices of Singh, Joachims (KDD 2018).
    """
    from scipy.optimize import linprog
    from scipy.sparse import kron, vstack

    gains, worth, rows = one.scores - one.scores.min(), exposures(size), len(one.scores)
    needs = due(one, share, size)
    per_group = np.array([(one.groups == group).astype(float) for group in needs])
    once = kron(np.ones((1, size)), np.eye(rows))
    enough = kron(worth[None, :], per_group)
    found = linprog(
        -np.outer(worth, gains).ravel(),
        A_eq=kron(np.eye(size), np.ones((1, rows))).tocsr(),
        b_eq=np.ones(size),
        A_ub=vstack([once, -enough]).tocsr(),
        b_ub=np.concatenate([np.ones(rows), 1e-9 - np.array(list(needs.values()))]),
        bounds=(0, 1),
    )
    if found.x is None:
        return None
    best = float((worth * np.sort(gains)[::-1][:size]).sum())
    return 1.0 + float(found.fun) / best if best > 0.0 else 0.0


def ndcg(grades: NDArray[np.int64], top: Ordinals) -> float | None:
    """Return NDCG by grade, None where nothing is relevant (Järvelin, Kekäläinen, TOIS 2002)."""
    gains, worth = 2.0**grades - 1.0, exposures(len(top))
    ideal = float((worth * np.sort(gains)[::-1][: len(top)]).sum())
    return float((worth * gains[top]).sum()) / ideal if ideal > 0.0 else None


def measured(found: list[List], share: float) -> Outcome:
    """Re-rank every list so that groups get ``share`` of what is due to them."""
    outcome = Outcome()
    for one in found:
        size = min(SLOTS, len(one.scores))
        greedy = (-one.scores).argsort(kind="stable")
        begun = time.perf_counter()
        made = rerank(
            PlannedRerank(share, one.groups), greedy, values=one.scores, groups=one.groups, pins={}, slots=SLOTS
        )
        outcome.seconds += time.perf_counter() - begun
        top = made.order[:size]
        before, after = ndcg(one.grades, greedy[:size]), ndcg(one.grades, top)
        if before is not None and after is not None:
            outcome.graded.append(before - after)
        least = cheapest(one, share, size)
        if least is not None:
            outcome.feasible += 1
            outcome.held += fair(one, top, share)
            outcome.ours.append(made.cost)
            outcome.least.append(least)
    return outcome


def interval(values: list[float], seed: int = 7) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean over queries."""
    rng = np.random.Generator(np.random.PCG64(seed))
    array = np.asarray(values)
    means = array[rng.integers(0, len(array), (DRAWS, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def told(outcome: Outcome) -> dict[str, Any]:
    """Return the raw numbers of one share."""
    graded = float(np.mean(outcome.graded))
    return {
        "feasible": outcome.feasible,
        "held": outcome.held,
        "ndcg_given_up_by_score": float(np.mean(outcome.ours)),
        "least_possible": float(np.mean(outcome.least)),
        "ndcg_given_up_by_grade": graded,
        "by_grade_interval": interval(outcome.graded),
        "ms_per_list": 1e3 * outcome.seconds / max(1, len(outcome.graded)),
    }


def main() -> int:
    """Print what each share costs, and one figure each for the constraint and for the cost at the default share."""
    if not (DATA / "ltr").is_dir():
        print(f"the ranking data is not at {DATA}; set FAIRLEAD_SHARED_DATA", file=sys.stderr)
        return 0
    found = lists()
    outcomes = {share: measured(found, share) for share in SHARES}
    curve = {f"{share:g}": told(outcome) for share, outcome in outcomes.items()}
    feasible, held = sum(each.feasible for each in outcomes.values()), sum(each.held for each in outcomes.values())
    Figure(
        bench="rerank",
        value=held / feasible,
        unit="share of lists that can be fair and are",
        floor=None,
        ratio=None,
        target="1, wherever any ranking is fair",
        ok=held == feasible,
        raw={"lists": len(found), "slots": SLOTS, "by_share": curve},
    ).print()
    ours, least = curve[f"{TARGET_SHARE:g}"]["ndcg_given_up_by_score"], curve[f"{TARGET_SHARE:g}"]["least_possible"]
    Figure(
        bench="rerank",
        value=ours,
        unit=f"NDCG@{SLOTS} given up for {TARGET_SHARE:.0%} of the exposure due",
        floor=least,
        ratio=ours / least if least else None,
        target="≤ 2 × the least that any fair lottery over rankings gives up",
        ok=ours <= 2.0 * least,
        raw=curve[f"{TARGET_SHARE:g}"],
    ).print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
