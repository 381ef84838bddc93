"""Confidence against a known truth, and on ranking data: whether its error is within what is claimed for it."""

import gzip
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from scoring_core.learning.boosting import fit
from scoring_core.learning.calibrate import MAX_ERROR, calibrate, draw_pairs, words
from scoring_core.learning.datasets import Examples
from scoring_core.scorers.gbdt import scorer_of
from scoring_core.scorers.protocol import Floats, Scores
from storage.records.models import Calibration, ModelVersion

MEMBERS = 10
FRESH_PAIRS = 100_000
DATA = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Impressions whose click probability is known. ``signal`` is how well the members see it, ``dependence`` how much
    of their noise they share, ``base`` the log-odds of an average item."""

    rows: int
    signal: float = 1.0
    dependence: float = 0.5
    base: float = -3.0
    weights: tuple[float, ...] = (2.0, 40.0)

    def qualities(self, count: int, rng: np.random.Generator) -> tuple[Floats, Scores]:
        """Draw click probabilities and what the ensemble makes of them."""
        quality = rng.normal(size=count)
        own = rng.normal(size=(count, MEMBERS)) * np.sqrt(1.0 - self.dependence)
        shared = rng.normal(size=(count, 1)) * np.sqrt(self.dependence)
        members = self.signal * quality[:, None] + own + shared
        return 1.0 / (1.0 + np.exp(-self.base - quality)), Scores(values=members.mean(axis=1), members=members)


def examples(clicked: np.ndarray, *, weight: Floats, stratum: np.ndarray) -> Examples:
    """Return examples that only say what was clicked, where, and how much it weighs."""
    rows = len(clicked)
    return Examples(
        at=np.arange(rows),
        ordinal=np.zeros(rows, dtype=np.int64),
        clicked=clicked,
        weight=weight,
        stratum=stratum,
        campaign=np.full(rows, "", dtype=object),
        inputs=np.zeros(rows, dtype=np.int64),
        contexts=({},),
        users=(None,),
        dropped={},
    )


def observed(world: World, seed: int) -> Calibration:
    """Calibrate on what such a world's log shows."""
    rng = np.random.Generator(np.random.PCG64(seed))
    chance, scores = world.qualities(world.rows, rng)
    held_out = examples(
        rng.random(world.rows) < chance,
        weight=rng.choice(world.weights, world.rows),
        stratum=rng.integers(0, 21, world.rows),
    )
    return calibrate(draw_pairs(held_out, scores, rng), held_out_share=0.3, rng=rng)


def true_error(world: World, calibration: Calibration, seed: int) -> float:
    """Return the calibration error of a fitted map on fresh pairs of the same world against the known probability that
    the model's pick wins, given that exactly one wins."""
    rng = np.random.Generator(np.random.PCG64(seed))
    (first, ours), (second, theirs) = (world.qualities(FRESH_PAIRS, rng) for _ in range(2))
    ahead = ours.values > theirs.values
    a, b = np.where(ahead, first, second), np.where(ahead, second, first)
    above = (ours.members > theirs.members).mean(axis=1)
    raw = np.where(ahead, above, 1.0 - above)
    won, lost = a * (1.0 - b), b * (1.0 - a)
    said = np.interp(raw, calibration.x, calibration.y)
    order = np.argsort(said, kind="stable")
    mass = won + lost
    bins = np.minimum((np.cumsum(mass[order]) / mass.sum() * 10).astype(np.int64), 9)
    gap = np.bincount(bins, weights=(won - mass * said)[order])
    return float(np.abs(gap).sum() / mass.sum())


def ranking_data(*, grade: int, seed: int = 1) -> Calibration:
    """Calibrate on the shared ranking data: outcomes are grades from ``grade`` on, a query is a stratum, and each half
    of the queries is judged by an ensemble that was trained on the other."""
    with gzip.open(DATA / "ltr" / "rank.train.gz", "rt") as file:
        rows = file.read().splitlines()
    sizes = [int(line) for line in (DATA / "ltr" / "rank.train.query").read_text().split()]
    table = np.full((len(rows), 301), np.nan)
    grades = np.empty(len(rows), dtype=np.int64)
    for at, row in enumerate(rows):
        label, *cells = row.split()
        grades[at] = int(label)
        for cell in cells:
            column, _, value = cell.partition(":")
            table[at, int(column)] = float(value)
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    data = examples(grades >= grade, weight=np.ones(len(rows)), stratum=stratum)
    names = tuple(f"f.{column}" for column in range(table.shape[1]))
    members = np.empty((len(rows), MEMBERS))
    for half in range(2):
        past, rest = stratum % 2 == half, stratum % 2 != half
        texts = fit(data.where(past), table[past], names=names, members=MEMBERS, trees=20, seed=seed)
        version = ModelVersion(name="ltr", version="1", created_at=0, path="", digest="", features=names)
        members[rest] = scorer_of(version, texts).score(table[rest]).members
    rng = np.random.Generator(np.random.PCG64(seed))
    return calibrate(
        draw_pairs(data, Scores(values=members.mean(axis=1), members=members), rng), held_out_share=1.0, rng=rng
    )


WORLDS = {
    "knows": World(rows=30_000),
    "knows a little": World(rows=30_000, signal=0.15),
    "knows nothing": World(rows=25_000, signal=0.0),
    "members alike": World(rows=30_000, dependence=0.95),
    "few outcomes": World(rows=8_000),
}


def main(seeds: int) -> int:
    """Print one figure per world, and those of the ranking data."""
    for name, world in WORLDS.items():
        verdicts: Counter[str] = Counter()
        covered = false = calibrated = 0
        errors = []
        for seed in range(seeds):
            found = observed(world, seed)
            verdicts[found.status] += 1
            if found.error_high is None:
                continue
            calibrated += 1
            error = true_error(world, found, 10_000 + seed)
            errors.append(error)
            covered += error <= found.error_high
            false += found.status == "proven" and (error > MAX_ERROR or world.signal == 0.0)
        share = false / seeds
        Figure(
            bench="confidence",
            value=share,
            unit=f"share proven falsely ({name})",
            floor=None,
            ratio=None,
            target="≤ 5 %, true error within the claimed bound in ≥ 95 %",
            ok=share <= 0.05 and (not calibrated or covered / calibrated >= 0.95),
            raw={
                "seeds": seeds,
                "verdicts": dict(verdicts),
                "true_error_within_bound": covered / calibrated if calibrated else None,
                "true_error_mean": float(np.mean(errors)) if errors else None,
            },
        ).print()
    if not (DATA / "ltr").is_dir():
        print(f"the ranking data is not at {DATA}; set FAIRLEAD_SHARED_DATA", file=sys.stderr)
        return 0
    for grade in (1, 2, 3):
        found = ranking_data(grade=grade)
        Figure(
            bench="confidence",
            value=found.error if found.error is not None else float(found.clicked_impressions),
            unit=f"calibration error, ranking data, grade ≥ {grade}"
            if found.error is not None
            else f"outcomes of 1,000, ranking data, grade ≥ {grade}",
            floor=None,
            ratio=None,
            target="a verdict that the data carries",
            ok=True,
            raw={"words": words(found), "bins": [[b.predicted, b.observed, b.count] for b in found.bins]},
        ).print()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("FAIRLEAD_BENCH_SEEDS", "100"))))
