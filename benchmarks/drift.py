"""Drift of 1 M rows × 50 features against Evidently's preset; worlds without drift; shifts of a PSI of 0.2."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from benchmarks.figures import Figure
from governance.checks.compared import Compared, of_levels, of_numbers
from governance.checks.judged import judge_all, measure_all
from governance.checks.own_windows import audit_windows
from storage.own_columns import OwnColumns

ROWS, NUMBERS, CATEGORIES = 1_000_000, 35, 15
LEVELS = (2, 3, 5, 8, 12, 20, 30, 40, 50, 60, 70, 80, 80, 10, 4)
SAME = {"number": "wasserstein", "category": "jensenshannon"}
"""What Evidently's preset measures above 1,000 rows."""
SIZES = ((50, 50), (500, 500), (1_000, 1_000), (500, 20_000), (10_000, 10_000), (100_000, 100_000))
WORLDS, MOVED = 100, 400
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

SHAPES: Sequence[Draw] = (
    lambda rng, size: rng.normal(size=size),
    lambda rng, size: rng.lognormal(sigma=2.0, size=size),
    lambda rng, size: rng.poisson(3, size).astype(np.float64),
    lambda rng, size: np.where(rng.random(size) < 0.9, 0.0, rng.random(size)),
    lambda rng, size: np.where(rng.random(size) < 0.1, np.nan, rng.exponential(size=size)),
)


def write_window(path: Path, *, seed: int, moved: bool) -> None:
    """Write one window; in the ``moved`` one every fifth feature has changed."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for place in range(NUMBERS):
        values = SHAPES[place % len(SHAPES)](rng, ROWS)
        columns[f"x{place}"] = values * 1.3 + 0.2 if moved and place % 5 == 0 else values
    for place in range(CATEGORIES):
        share = np.random.default_rng(place).dirichlet(np.ones(LEVELS[place]))
        share = np.roll(share, 1) if moved and place % 5 == 0 else share
        codes = rng.choice(LEVELS[place], ROWS, p=share).astype(np.int32)
        columns[f"c{place}"] = pa.array(np.array([f"level {each}" for each in range(LEVELS[place])])[codes])
    parquet.write_table(pa.table(columns), path)


def ours(reference: str, current: str, *, pinned: bool) -> dict[str, float]:
    """Return our figures by feature."""
    found = audit_windows(OwnColumns(Path(reference)), OwnColumns(Path(current)), methods=SAME if pinned else {})
    return {row["feature"]: row["effect"] for row in found["features"]}


def evidently(reference: str, current: str) -> dict[str, float]:
    """Return Evidently's figures by feature."""
    os.environ["DO_NOT_TRACK"] = "1"
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(
        numerical_columns=[f"x{place}" for place in range(NUMBERS)],
        categorical_columns=[f"c{place}" for place in range(CATEGORIES)],
    )
    windows = [
        Dataset.from_pandas(pandas.read_parquet(path), data_definition=definition) for path in (current, reference)
    ]
    said = json.loads(Report([DataDriftPreset()]).run(*windows).json())
    return {
        metric["config"]["column"]: float(metric["value"])
        for metric in said["metrics"]
        if metric["config"].get("column")
    }


def child(who: str, *paths: str) -> dict[str, Any]:
    """Run one side in a process of its own; return its figures, CPU seconds and peak memory."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.drift", who, *paths], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{who} ended with {status}")
        out.seek(0)
        said = json.loads(out.read().splitlines()[-1])
    return {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024, "said": said}


def peers(rounds: int) -> None:
    """Measure time, memory and agreement."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.parquet" for name in ("reference", "current")]
        for seed, path in enumerate(paths):
            write_window(Path(path), seed=seed, moved=bool(seed))
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "default": [], "evidently": []}
        for _ in range(rounds):
            for who, seen in runs.items():
                seen.append(child(who, *paths))
    least = {who: {key: min(run[key] for run in seen) for key in ("cpu_s", "peak_mb")} for who, seen in runs.items()}
    own, other = runs["ours"][0]["said"], runs["evidently"][0]["said"]
    apart = max(abs(own[name] - value) for name, value in other.items())
    raw = {
        **least,
        "rows_per_window": ROWS,
        "features": NUMBERS + CATEGORIES,
        "rounds": rounds,
        "largest_difference": apart,
        "compared": len(other),
    }
    for name, key, unit in (("drift_time", "cpu_s", "s CPU"), ("drift_memory", "peak_mb", "MiB peak")):
        ratio = least["ours"][key] / least["evidently"][key]
        Figure(
            bench=name,
            value=least["ours"][key],
            unit=f"{unit}, two windows of {ROWS:,} rows × {NUMBERS + CATEGORIES} features",
            floor=least["evidently"][key],
            ratio=ratio,
            target="<= 0.2 of Evidently's preset, same statistics to 1e-6",
            ok=ratio <= 0.2 and apart <= 1e-6,
            raw=raw,
        ).print()


def calm(rng: np.random.Generator, before: int, now: int) -> list[Compared]:
    """Return twenty features without drift: tails, ties, spikes, missing values, up to 80 levels."""
    pairs = [
        of_numbers(f"x{each}", *(SHAPES[each % len(SHAPES)](rng, size) for size in (before, now))) for each in range(10)
    ]
    for each, count in enumerate((2, 5, 8, 12, 20, 30, 40, 60, 80, 80)):
        share = rng.dirichlet(np.ones(count))
        counts = (rng.multinomial(size, share) for size in (before, now))
        pairs.append(of_levels(f"c{each}", [str(level) for level in range(count)], *counts))
    return pairs


def red(pairs: Sequence[Compared]) -> list[bool]:
    """Return which features are red."""
    return [each.red for each in judge_all(measure_all(pairs, {}))]


def false_red() -> None:
    """Count runs of twenty features without drift in which any is red."""
    rng = np.random.default_rng(31)
    seen = {f"{before}/{now}": sum(any(red(calm(rng, before, now))) for _ in range(WORLDS)) for before, now in SIZES}
    share = sum(seen.values()) / (WORLDS * len(SIZES))
    Figure(
        bench="drift_false_red",
        value=share,
        unit=f"share of runs with a red light, {WORLDS * len(SIZES)} runs of 20 features without drift",
        floor=None,
        ratio=None,
        target="<= 0.01",
        ok=share <= 0.01,
        raw={"red_runs_by_sizes": seen, "runs_each": WORLDS},
    ).print()


def tilted(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two distributions over levels whose PSI is 0.2."""
    before = np.full(count, 1.0 / count)
    sign = np.where(np.arange(count) % 2, 1.0, -1.0)
    low, high = 0.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2.0
        now = before * np.exp(middle * sign)
        now /= now.sum()
        low, high = (middle, high) if ((now - before) * np.log(now / before)).sum() < 0.2 else (low, middle)
    return before, now


def power() -> None:
    """Count how often one feature of twenty that moved by a PSI of 0.2 is red, at 1,000 rows a window."""
    rng = np.random.default_rng(32)
    rest = calm(rng, 1_000, 1_000)[1:]
    found: dict[str, float] = {}
    shifted = [of_numbers("x", rng.normal(size=1_000), rng.normal(0.2**0.5, 1.0, 1_000)) for _ in range(MOVED)]
    found["normal"] = sum(red([each, *rest])[0] for each in shifted) / MOVED
    for count in (2, 12, 80):
        before, now = tilted(count)
        names = [str(each) for each in range(count)]
        pairs = [
            of_levels("x", names, rng.multinomial(1_000, before), rng.multinomial(1_000, now)) for _ in range(MOVED)
        ]
        found[f"{count} levels"] = sum(red([each, *rest])[0] for each in pairs) / MOVED
    least = min(found.values())
    Figure(
        bench="drift_found",
        value=least,
        unit="share of shifts of PSI 0.2 found, least of four kinds, 1,000 rows a window, 20 features",
        floor=None,
        ratio=None,
        target=">= 0.95",
        ok=least >= 0.95,
        raw={"found": found, "runs_each": MOVED},
    ).print()


SIDES: dict[str, Callable[..., dict[str, float]]] = {
    "ours": lambda *paths: ours(*paths, pinned=True),
    "default": lambda *paths: ours(*paths, pinned=False),
    "evidently": evidently,
}


def main() -> None:
    """Measure all, or be one side of the comparison."""
    if len(sys.argv) > 3:
        print(json.dumps(SIDES[sys.argv[1]](*sys.argv[2:4])))
        return
    false_red()
    power()
    peers(rounds=1)


if __name__ == "__main__":
    main()
